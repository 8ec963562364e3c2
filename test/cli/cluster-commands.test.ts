import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { romana } from '../../cli/romana.ts'
import { ROUTE_FORMATS } from '../../cli/route-formats.ts'
import { mirrorHost } from '../network-driver/romana-steps.ts'
import { type AdminHost, startAdmin } from '../plugin/admin-steps.ts'

let host: AdminHost
beforeEach(async () => {
  host = await startAdmin()
})
afterEach(() => host[Symbol.asyncDispose]())

/** The exit code and what is printed behind it; "2!": to standard error. */
async function type(line: string): Promise<string> {
  const { exitCode, text, isFailure } = await romana([...line.split(' '), '--socket', host.socket])
  return `${exitCode}${isFailure === true ? '!' : ''} ${text}`
}

async function put(key: string, record: object): Promise<void> {
  await host.romana.directory.commit([{ kind: 'put', key, value: JSON.stringify(record) }])
}

describe('romana routes export', () => {
  beforeEach(async () => {
    for (const number of [1, 2]) {
      const underlay = { address: `192.0.2.1${number}` }
      await put(`/hosts/${number}`, { number, machineId: `m${number}`, name: `h${number}`, underlay })
    }
  })

  test('has lines for ip -batch without more words', async () => {
    const lines = '0 route replace 10.1.0.0/16 via 192.0.2.11\nroute replace 10.2.0.0/16 via 192.0.2.12\n'
    expect(await type('routes export')).toBe(lines)
    expect(await type('routes export --format ip')).toBe(lines)
  })

  test('--format frr and bird', async () => {
    expect(await type('routes export --format frr')).toBe(
      '0 ip route 10.1.0.0/16 192.0.2.11\nip route 10.2.0.0/16 192.0.2.12\n',
    )
    expect(await type('routes export --format=bird')).toBe(`\
0 protocol static romana {
	ipv4;
	route 10.1.0.0/16 via 192.0.2.11; # host 1
	route 10.2.0.0/16 via 192.0.2.12; # host 2
}
`)
  })

  test('tells the programs of routers which family a route is of', () => {
    const routes = [
      { host: 2, name: 'h2', prefix: '10.2.0.0/16', via: '192.0.2.12' },
      { host: 2, name: 'h2', prefix: 'fd3a:1c55:9e02:2::/64', via: '2001:db8::12' },
    ]
    expect(ROUTE_FORMATS.ip(routes)).toContain('route replace fd3a:1c55:9e02:2::/64 via 2001:db8::12\n')
    expect(ROUTE_FORMATS.frr(routes)).toContain('ipv6 route fd3a:1c55:9e02:2::/64 2001:db8::12\n')
    expect(ROUTE_FORMATS.bird(routes)).toContain(`
}
protocol static romana6 {
	ipv6;
	route fd3a:1c55:9e02:2::/64 via 2001:db8::12; # host 2
}
`)
  })

  test('--format json, and --json', async () => {
    const text = await type('routes export --format json')
    expect(JSON.parse(text.slice(2))[1]).toEqual({
      host: 2,
      name: 'h2',
      prefix: '10.2.0.0/16',
      via: '192.0.2.12',
    })
    expect(await type('routes export --json')).toBe(text)
  })

  test('knows no other format', async () => {
    expect(await type('routes export --format cisco')).toMatch(
      /^2! [\s\S]*--format is one of ip, frr, bird, json\n$/,
    )
  })
})

describe('romana endpoint list --all', () => {
  test('shows those of all hosts, with their containers where they are known', async () => {
    const network = await host.romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
    await host.romana.engine.run('e1', network)
    await mirrorHost(host.romana)
    const container = { id: 'c2', name: 'shop-1' }
    const there = { host: 2, endpointId: 'e2', networkId: 'n2', tenant: 'blue', segment: 'web' }
    await put('/host-endpoints/2/e2', { ...there, address: '10.2.17.10', container })
    await put('/host-endpoints/2/e3', { ...there, endpointId: 'e3', address: '10.2.17.9' })
    expect(await type('endpoint list --all')).toBe(`\
0 HOST  ENDPOINT  NETWORK  TENANT  SEGMENT  ADDRESS     CONTAINER
1     e1        n1       blue    web      10.1.17.2   -
2     e3        n2       blue    web      10.2.17.9   -
2     e2        n2       blue    web      10.2.17.10  shop-1
`)
    expect(JSON.parse((await type('endpoint list --all --json')).slice(2))).toHaveLength(3)
    expect(await host.ask('GET /v1/endpoints?hosts=some')).toMatchObject({ status: 400 })
  })
})

describe('romana segment add --everywhere', () => {
  test('marks a segment, also one that is there; removing it takes the mark first', async () => {
    expect(await type('segment add blue web --everywhere')).toBe(
      '0 Segment web of tenant blue has 10.1.17.0/24 on this host, and is everywhere as network blue-web\n',
    )
    expect(await type('segment add blue web --everywhere --network www')).toContain('as network www\n')
    expect(await type('segment list')).toBe(`\
0 TENANT  SEGMENT  NUMBERS  CELL HERE     HOSTS
blue    web      1.1      10.1.17.0/24  -, everywhere as www
`)
    expect(await type('segment remove blue web')).toBe('0 Removed segment web of tenant blue\n')
    expect((await host.romana.directory.list('/everywhere/')).entries).toEqual([])
  })

  test.each([
    ['segment add blue web --network www', '--network goes with --everywhere'],
    ['segment add blue web --everywhere --network a/b', 'must be letters, digits'],
  ])('%s is typed wrongly', async (line, message) => {
    const text = await type(line)
    expect(text.slice(0, 2)).toBe('2!')
    expect(text).toContain(message)
  })
})
