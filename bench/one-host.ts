/** A host of its own for a measurement. */
import { type LabHostOptions, startLab } from '../lab/lab.ts'
import type { LabHost } from '../lab/lab-host.ts'

export interface OneHost extends AsyncDisposable {
  readonly host: LabHost
}

/** @param name of the lab, which ends with it. @throws ExecaError */
export async function startOneHost(name: string, options: Omit<LabHostOptions, 'name'>): Promise<OneHost> {
  const lab = await startLab({ name, hosts: [{ name: 'h1', ...options }], underlay: 'layer2' })
  const [host] = lab.hosts
  if (host === undefined) throw new Error('The lab has no host')
  return { host, [Symbol.asyncDispose]: lab.stop }
}

/** @param options more arguments of `docker network create`. @throws ExecaError */
export async function createRomanaNetwork(
  host: LabHost,
  name: string,
  {
    driver = 'romana',
    options = [],
  }: { readonly driver?: string; readonly options?: readonly string[] } = {},
): Promise<void> {
  const drivers = ['--driver', driver, '--ipam-driver', driver]
  await host.docker(['network', 'create', ...drivers, ...options, name])
}
