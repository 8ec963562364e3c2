/** Where containers of a host are in the network: their network namespaces, as this machine sees them. */
import * as v from 'valibot'
import type { LabHost } from './lab-host.ts'

/** As the engine names it. */
export const SandboxKey = v.pipe(v.string(), v.startsWith('/'))

/** The network namespaces of running containers by name, as paths. @throws ExecaError */
export async function sandboxesOn(host: LabHost, names: readonly string[]): Promise<Map<string, string>> {
  const { stdout } = await host.docker(['inspect', '--format', '{{.NetworkSettings.SandboxKey}}', ...names])
  const keys = stdout.split('\n')
  return new Map(names.map((name, index) => [name, sandboxPath(host, v.parse(SandboxKey, keys[index]))]))
}

/** That of one container. @throws ExecaError */
export async function sandboxOf(host: LabHost, container: string): Promise<string> {
  return (await sandboxesOn(host, [container])).get(container) ?? ''
}

export function sandboxPath(host: LabHost, key: string): string {
  return host.rootPath(key.replace('/var/run/', '/run/'))
}
