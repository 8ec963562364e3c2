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
  frr: (routes) =>
    lines(routes.map(({ prefix, via }) => `${isIpv6(prefix) ? 'ipv6' : 'ip'} route ${prefix} ${via}`)),
  bird: (routes) => {
    const ipv6 = routes.filter(({ prefix }) => isIpv6(prefix))
    const ipv4 = routes.filter((route) => !ipv6.includes(route))
    return lines([
      ...birdProtocol('romana', 'ipv4', ipv4),
      ...(ipv6.length === 0 ? [] : birdProtocol('romana6', 'ipv6', ipv6)),
    ])
  },
} as const satisfies Record<string, (routes: readonly ExportedRoute[]) => string>

/** BIRD keeps the families apart. */
function birdProtocol(name: string, family: string, routes: readonly ExportedRoute[]): string[] {
  return [
    `protocol static ${name} {`,
    `\t${family};`,
    ...routes.map(({ host, prefix, via }) => `\troute ${prefix} via ${via}; # host ${host}`),
    '}',
  ]
}

function isIpv6(prefix: string): boolean {
  return prefix.includes(':')
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('')
}
