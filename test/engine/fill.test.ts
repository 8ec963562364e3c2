/** Cells of small, usual and large plans, filled to the last address. */
import { describe, expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { type Endpoint, type FilledNetwork, makeNetwork } from '../support/driver-calls.ts'
import {
  addressOf,
  createSegmentNetwork,
  failureOf,
  IMAGE,
  startIdle,
  startRomanaHost,
} from '../support/romana-host.ts'

/** So many calls are under way at once. */
const SIDE_BY_SIDE = 20
/** So many endpoints get links; to remove thousands of these takes the kernel a minute. */
const WITH_LINKS = 253

describe.each([
  { plan: '10.0.0.0/8 8/6/6/4', pool: '10.1.4.16/28', last: '10.1.4.30', size: 13 },
  { plan: '10.0.0.0/8 8/4/4/8', pool: '10.1.17.0/24', last: '10.1.17.254', size: 253 },
  { plan: '10.0.0.0/8 8/2/2/12', pool: '10.1.80.0/20', last: '10.1.95.254', size: 4093 },
])('a cell of the plan $plan', ({ plan, pool, last, size }) => {
  it(`has ${size} endpoints, no more; each that goes makes room for one; all that go leave nothing`, async () => {
    await using romana = await startRomanaHost({ lab: `fill${size}`, release: 'sid' }, { ROMANA_PLAN: plan })
    const { host } = romana
    const network = await makeNetwork(host, { tenant: 'blue', segment: 'web' })
    expect(network.pool).toBe(pool)

    const endpoints = await fill(network, size)
    const addresses = endpoints.map(({ address }) => address)
    expect(new Set(addresses).size).toBe(size)
    expect(addresses).toContain(last)
    expect(await routes(host)).toBe(Math.min(size, WITH_LINKS))
    const full =
      `Cannot give out an address of segment "web" of tenant "blue": all ${size} endpoint addresses of ${pool} are taken. ` +
      'Remove containers, or use another segment (E_POOL_FULL)'
    await expect(network.addEndpoint(true)).rejects.toThrow(full)

    const [gone, ...others] = endpoints
    if (gone === undefined) throw new Error('There is no endpoint')
    await network.removeEndpoint(gone)
    const next = await network.addEndpoint(true)
    expect(next.address).toBe(gone.address)
    await expect(network.addEndpoint(true)).rejects.toThrow(full)

    await sideBySide([next, ...others], (endpoint) => network.removeEndpoint(endpoint))
    expect(await routes(host)).toBe(0)
    await network.remove()
    expect((await host.run('ip', ['rule', 'show'])).stdout).not.toContain('8200')
    expect((await host.run('ip', ['-o', 'link', 'show', 'type', 'veth'])).stdout).not.toMatch(/: rm[np]/)
  })
})

it('docker run says when the last address of a cell is taken, and works again after docker rm', async () => {
  await using romana = await startRomanaHost(
    { lab: 'filldocker', release: 'sid' },
    { ROMANA_PLAN: '10.0.0.0/8 8/6/6/4' },
  )
  const { host } = romana
  const network = await createSegmentNetwork(host, 'blue', 'web')
  const names = Array.from({ length: 13 }, (_, index) => `web-${index}`)
  await Promise.all(names.map((name) => startIdle(host, name, network)))
  const addresses = await Promise.all(names.map((name) => addressOf(host, name)))
  expect(new Set(addresses).size).toBe(13)
  const run = ['run', '--rm', '--network', network, IMAGE, 'true']
  expect(await failureOf(host, run)).toContain(
    'Cannot give out an address of segment "web" of tenant "blue": all 13 endpoint addresses of 10.1.4.16/28 are taken.',
  )
  await host.docker(['rm', '--force', 'web-7'])
  await startIdle(host, 'next', network)
  expect(await addressOf(host, 'next')).toBe(addresses[7])
})

async function fill(network: FilledNetwork, size: number): Promise<Endpoint[]> {
  const numbers = Array.from({ length: size }, (_, index) => index)
  return await sideBySide(numbers, (number) => network.addEndpoint(number < WITH_LINKS))
}

async function sideBySide<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const waiting = [...items]
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift())
      results.push(await task(item))
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  return results
}

/** How many endpoints have a route. */
async function routes(host: LabHost): Promise<number> {
  const { stdout } = await host.run('ip', ['route', 'show', 'table', '8200'])
  return stdout.match(/ dev rmn/g)?.length ?? 0
}
