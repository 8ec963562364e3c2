/** The endpoints of running containers, and what must be true of them at any moment. */
import { expect } from 'vitest'
import { textOf } from '../contract/docker-answers.ts'
import type { EngineEndpoint } from '../contract/docker-engine.ts'
import type { Romana } from './romana-steps.ts'

export interface Running extends EngineEndpoint {
  /** The same for all endpoints of a container. */
  readonly container: string
  readonly port?: number | undefined
}

/** No address is at two containers, none of them is cut off, and nobody else can get what they have. */
export async function expectAlive(romana: Romana, running: readonly Running[]): Promise<void> {
  const addresses = running.map(({ address }) => address)
  expect(addresses.toSorted()).toEqual([...new Set(addresses)].toSorted())
  const kernel = romana.kernel.show()
  for (const endpoint of running) {
    expectWired(kernel, endpoint)
    expect(await holderOf(romana, endpoint.address)).toBe(endpoint.id)
  }
}

function expectWired(kernel: string, { id, address, network, link }: Running): void {
  const hostLink = link.replace('rmp', network.id === 'n2' ? 'rmni' : 'rmne')
  expect(kernel).toMatch(
    new RegExp(`^link ${hostLink} mtu 1500 peer elsewhere up alias "romana1 ${id} `, 'm'),
  )
  expect(kernel).toContain(`address ${network.gateway.replace(/\/.*/, '/32')} dev ${hostLink}\n`)
  expect(kernel).toContain(`route ${address}/32 dev ${hostLink} table 8200 protocol 82\n`)
}

async function holderOf({ journal }: Romana, address: string): Promise<string> {
  const entry = await journal.get(`/addresses/${address}`)
  return entry === undefined ? '' : textOf(JSON.parse(entry.value), 'endpointId')
}

/** Those of running containers are there, and no others. Nothing is published on n2, the internal network. */
export async function expectPorts(romana: Romana, running: readonly Running[]): Promise<void> {
  const kernel = romana.kernel.show()
  for (const { address, port } of running.filter(({ network }) => network.id !== 'n2')) {
    if (port === undefined) continue
    expect(kernel).toContain(`--dport ${port} -j DNAT --to-destination ${address}:80\n`)
    expect(romana.sockets.show()).toContain(`tcp 0.0.0.0:${port} -> ${address}:80`)
  }
  const records = (await romana.journal.list('/ports/')).entries.map(({ key }) => key.slice(7))
  const endpoints = (await romana.journal.list('/endpoints/')).entries.map(({ key }) => key.slice(11))
  expect(endpoints).toEqual(expect.arrayContaining(records))
}
