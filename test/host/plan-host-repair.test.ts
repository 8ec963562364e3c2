import { describe, expect, test } from 'vitest'
import { endpointOf, WEB, wantedOf } from './host-fixtures.ts'
import { bringTo, hostWithTwoEndpoints, WEB_1, WEB_2 } from './lived-in-kernel.ts'

const NOTHING = wantedOf([])

const PUT_BACK: readonly (readonly [what: string, lines: readonly string[], plan: string])[] = [
  [
    'the route of an endpoint in a container',
    ['route delete 10.1.17.2/32 dev rmne1 table 8200 protocol 82'],
    'route add 10.1.17.2/32 dev rmne1 table 8200 protocol 82',
  ],
  [
    'the route of an endpoint that no container has yet',
    ['route delete 10.1.17.3/32 dev rmne2 table 8200 protocol 82'],
    'route add 10.1.17.3/32 dev rmne2 table 8200 protocol 82',
  ],
  [
    "a link's gateway address, and the route that the kernel took away with it",
    ['address delete 10.1.17.1/32 dev rmne1'],
    'address add 10.1.17.1/32 dev rmne1\nroute add 10.1.17.2/32 dev rmne1 table 8200 protocol 82',
  ],
  [
    'a link that was set down, and the route that the kernel took away with it',
    ['link set dev rmne1 down'],
    'link set dev rmne1 up\nroute add 10.1.17.2/32 dev rmne1 table 8200 protocol 82',
  ],
  [
    "the blackhole of the host's own prefix",
    ['route delete blackhole 10.1.0.0/16 table 8200 protocol 82'],
    'route add blackhole 10.1.0.0/16 table 8200 protocol 82',
  ],
  [
    'the policy rule',
    ['rule delete to 10.0.0.0/8 lookup 8200 priority 8200 protocol 82'],
    'rule add to 10.0.0.0/8 lookup 8200 priority 8200 protocol 82',
  ],
]

describe('put back is', () => {
  test.each(PUT_BACK)('%s', async (_what, lines, plan) => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    const before = kernel.show()
    kernel.ip(...lines)
    expect(await bringTo(wanted, kernel)).toBe(`# ip -batch\n${plan}\n`)
    expect(kernel.show()).toBe(before)
  })
})

const TAKEN_AWAY: readonly (readonly [what: string, lines: readonly string[], plan: string])[] = [
  [
    'a route with our mark that nothing explains',
    ['route add unreachable 10.9.0.0/16 table 8200 protocol 82'],
    'route delete unreachable 10.9.0.0/16 table 8200 protocol 82',
  ],
  [
    'a policy rule with our mark for a plan of before',
    ['rule add to 172.16.0.0/12 lookup 8200 priority 8200 protocol 82'],
    'rule delete to 172.16.0.0/12 lookup 8200 priority 8200 protocol 82',
  ],
  [
    'a pair of ours whose both ends are here and that has no record',
    ['link add name rmni9 mtu 1500 type veth peer name rmp9 mtu 1500'],
    'link delete dev rmni9',
  ],
]

describe('taken away is', () => {
  test.each(TAKEN_AWAY)('%s', async (_what, lines, plan) => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    const before = kernel.show()
    kernel.ip(...lines)
    expect(await bringTo(wanted, kernel)).toBe(`# ip -batch\n${plan}\n`)
    expect(kernel.show()).toBe(before)
  })

  test('a dead pair, with which its address and its route go', async () => {
    const { kernel } = await hostWithTwoEndpoints()
    const wanted = wantedOf([WEB], [WEB_1])
    expect(await bringTo(wanted, kernel)).toBe('# ip -batch\nlink delete dev rmne2\n')
    expect(kernel.show()).not.toContain('rmne2')
    expect(await bringTo(wanted, kernel)).toBe('')
  })

  test('a dead pair whose address another endpoint has got: first the pair, then the route', async () => {
    const { kernel } = await hostWithTwoEndpoints()
    kernel.ip('link add name rmne3 mtu 1500 type veth peer name rmp3 mtu 1500', 'link set dev rmne3 up')
    const wanted = wantedOf([WEB], [WEB_1, endpointOf(WEB, '10.1.17.3', 3)])
    expect(await bringTo(wanted, kernel)).toBe(
      '# ip -batch\nlink delete dev rmne2\naddress add 10.1.17.1/32 dev rmne3\n' +
        'route add 10.1.17.3/32 dev rmne3 table 8200 protocol 82\n',
    )
    expect(await bringTo(wanted, kernel)).toBe('')
  })
})

describe('never taken away is', () => {
  test('a pair with an end in a container and its route, though there is no record', async () => {
    const { kernel } = await hostWithTwoEndpoints()
    const before = kernel.show()
    expect(await bringTo(wantedOf([WEB], [WEB_2]), kernel)).toBe('')
    expect(kernel.show()).toBe(before)
  })

  test('such a pair when even the last network is gone', async () => {
    const { kernel } = await hostWithTwoEndpoints()
    await bringTo(NOTHING, kernel)
    const ours = kernel
      .show()
      .split('\n')
      .filter((line) => / rm[np][ei]?\d/.test(line))
    expect(ours.join('\n')).toBe(
      [
        'link rmne1 mtu 1500 peer elsewhere up alias "romana1 1 web 10.1.17.2 red web"',
        'address 10.1.17.1/32 dev rmne1',
        'route 10.1.17.2/32 dev rmne1 table 8200 protocol 82',
      ].join('\n'),
    )
  })

  test('the route of such a pair for an address that a record gives to another link: the rest is still done', async () => {
    const { kernel } = await hostWithTwoEndpoints()
    kernel.ip('rule delete to 10.0.0.0/8 lookup 8200 priority 8200 protocol 82')
    const wanted = wantedOf([WEB], [endpointOf(WEB, '10.1.17.2', 2)])
    await bringTo(wanted, kernel)
    expect(kernel.show()).toContain('route 10.1.17.2/32 dev rmne1 ')
    expect(kernel.show()).toContain('rule to 10.0.0.0/8 lookup 8200 ')
    expect(await bringTo(wanted, kernel)).toBe('')
  })

  test('a pair that has a record, also before the engine moves its link', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    await bringTo(wanted, kernel)
    expect(kernel.show()).toContain('link rmne2 mtu 1500 peer rmp2 ')
  })

  test('a link whose name only begins like ours', async () => {
    const { kernel, wanted } = await hostWithTwoEndpoints()
    kernel.ip('link add name rmnx5 mtu 1500 type veth peer name rmpx5 mtu 1500')
    kernel.ip('link add name rmne05 mtu 1500 type veth peer name rmp05 mtu 1500')
    expect(await bringTo(wanted, kernel)).toBe('')
  })
})
