/** Static routes as the programs of routers read them. Pure. */

export interface ExportedRoute {
  readonly host: number
  readonly name: string
  readonly prefix: string
  readonly via: string
}

/** - `ip`: for `ip -batch`. `frr`: for vtysh or frr.conf. `bird`: for bird.conf of BIRD 2. */
export const ROUTE_FORMATS = {
  ip: (routes) => lines(routes.map(({ prefix, via }) => `route replace ${prefix} via ${via}`)),
  frr: (routes) => lines(routes.map(({ prefix, via }) => `ip route ${prefix} ${via}`)),
  bird: (routes) =>
    lines([
      'protocol static romana {',
      '\tipv4;',
      ...routes.map(({ host, prefix, via }) => `\troute ${prefix} via ${via}; # host ${host}`),
      '}',
    ]),
} as const satisfies Record<string, (routes: readonly ExportedRoute[]) => string>

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('')
}
