import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type StoreAddresses, watchStoreAddresses } from '../../plugin/store-addresses.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A name server whose answers can change, and what was told and asked. */
function makeNames(answers: Record<string, readonly string[]>) {
  const asked: string[] = []
  const told: string[] = []
  return { answers, asked, told }
}

async function watch(
  endpoints: readonly string[],
  { answers, asked, told }: ReturnType<typeof makeNames>,
): Promise<StoreAddresses> {
  return await watchStoreAddresses({
    endpoints,
    async lookup(name) {
      asked.push(name)
      const addresses = answers[name]
      if (addresses === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`)
      return addresses
    },
    onChange: () => told.push('changed'),
  })
}

/** "192.0.2.21 2379, - 2380": a line of the addresses and ports. */
function show(addresses: StoreAddresses): string {
  return addresses
    .current()
    .map(({ address, port }) => `${address ?? '-'} ${port}`)
    .join(', ')
}

describe('the addresses of the store', () => {
  it('are those of both families, and literal ones of IPv6 too', async () => {
    const names = makeNames({
      etcd1: ['192.0.2.21', '2001:db8::21'],
      '2001:db8::22': ['2001:db8::22'],
      'fe80::1': ['fe80::1%eth0'],
      '::ffff:c000:217': ['::ffff:192.0.2.23'],
    })
    const endpoints = [
      'https://etcd1:2379',
      'https://[2001:db8::22]:2379',
      'https://[fe80::1]:2379',
      'https://[::ffff:c000:217]:2379',
    ]
    const addresses = await watch(endpoints, names)
    expect(show(addresses)).toBe(
      '192.0.2.21 2379, 192.0.2.23 2379, 2001:db8::21 2379, 2001:db8::22 2379, fe80::1 2379',
    )
    addresses.close()
  })

  it('of a name that leads nowhere are looked up again soon, and its port is known meanwhile', async () => {
    const names = makeNames({ etcd1: ['192.0.2.21'] })
    const addresses = await watch(['http://etcd1:2379', 'http://etcd2:2479'], names)
    expect(show(addresses)).toBe('192.0.2.21 2379, - 2479')
    await vi.advanceTimersByTimeAsync(1_000)
    names.answers['etcd2'] = ['192.0.2.22']
    await vi.advanceTimersByTimeAsync(1_999)
    expect([show(addresses), names.told]).toEqual(['192.0.2.21 2379, - 2479', []])
    await vi.advanceTimersByTimeAsync(1)
    expect([show(addresses), names.told]).toEqual(['192.0.2.21 2379, 192.0.2.22 2479', ['changed']])
    addresses.close()
  })

  it('are looked up less and less often while a name leads nowhere, and each minute at least', async () => {
    const names = makeNames({})
    const addresses = await watch(['http://etcd1:2379'], names)
    const counts: number[] = []
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await vi.advanceTimersByTimeAsync(seconds * 1_000)
      counts.push(names.asked.length)
    }
    expect(counts).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
    addresses.close()
  })

  it('stay as they were while a name cannot be looked up, and go where it leads then', async () => {
    const names = makeNames({ etcd1: ['192.0.2.21'], etcd2: ['192.0.2.22'] })
    const addresses = await watch(['http://etcd1:2379', 'http://etcd2:2379'], names)
    delete names.answers['etcd1']
    names.answers['etcd2'] = ['192.0.2.32']
    await vi.advanceTimersByTimeAsync(60_000)
    expect(show(addresses)).toBe('192.0.2.21 2379, 192.0.2.32 2379')
    names.answers['etcd1'] = ['192.0.2.31']
    await vi.advanceTimersByTimeAsync(1_000)
    expect(show(addresses)).toBe('192.0.2.31 2379, 192.0.2.32 2379')
    expect(names.told).toEqual(['changed', 'changed'])
    addresses.close()
  })

  it('are not looked up any more when they are closed', async () => {
    const names = makeNames({})
    const addresses = await watch(['http://etcd1:2379'], names)
    addresses.close()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(names.asked).toEqual(['etcd1'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
