/** A host with a running container, to which calls shall do nothing, and all that it holds. */
import { type Romana, recordsIn, startRomana } from '../network-driver/romana-steps.ts'
import { makeApp, type Send, sendTo } from './http-steps.ts'

export interface BusyHost extends Romana {
  readonly send: Send
}

/** Endpoint e0 of network n0, with a published port; and a segment web of tenant green that no network is of. */
export async function startBusy(): Promise<BusyHost> {
  const romana = await startRomana()
  const { engine, drivers } = romana
  const network = await engine.createNetwork('n0', { tenant: 'blue', segment: 'web' })
  await engine.run('e0', network, { ports: [{ Proto: 6, Port: 80, HostPort: 8080 }] })
  await engine.removeNetwork(await engine.createNetwork('n9', { tenant: 'green', segment: 'web' }))
  return { ...romana, send: sendTo(makeApp(async () => drivers)) }
}

/** Both stores, the kernel and the ports, as text. */
export async function stateOf(romana: Romana): Promise<string> {
  const directory = await recordsIn({ journal: romana.directory })
  const parts = [await recordsIn(romana), directory, romana.kernel.show(), romana.sockets.show()]
  return parts.join('\n\n')
}
