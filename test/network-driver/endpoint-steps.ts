/** The words that the sentences about one endpoint are made of: e1 on network n1, of segment web of tenant blue. */
import type { CallPlugin, NetworkOptions } from '../contract/docker-engine.ts'
import { type Romana, startRomana } from './romana-steps.ts'

export const NAMES = { NetworkID: 'n1', EndpointID: 'e1', SandboxKey: '/var/run/docker/netns/c1' }
export const CREATE = { ...NAMES, Interface: { Address: '10.1.17.2/32', MacAddress: '' }, Options: {} }

export interface RomanaWithNetwork extends Romana {
  readonly poolId: string
  /** Calls NetworkDriver.`method`, for endpoint e1 unless told otherwise. */
  readonly callNetwork: (method: string, body?: object) => ReturnType<CallPlugin>
}

/** The network is there, and its address 10.1.17.2 is reserved. */
export async function startWithNetwork(wish: NetworkOptions = {}): Promise<RomanaWithNetwork> {
  const romana = await startRomana()
  const { poolId } = await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web', ...wish })
  await romana.call('IpamDriver.RequestAddress', { PoolID: poolId, Address: '', Options: null })
  const callNetwork = (method: string, body: object = NAMES) => romana.call(`NetworkDriver.${method}`, body)
  return { ...romana, poolId, callNetwork }
}

/** The different answers to ten calls at once. */
export async function tenTimes(call: () => Promise<unknown>): Promise<unknown[]> {
  const answers = await Promise.all(Array.from({ length: 10 }, call))
  return [...new Set(answers.map((answer) => JSON.stringify(answer)))].map((text) => JSON.parse(text))
}
