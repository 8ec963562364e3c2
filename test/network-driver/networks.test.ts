import { describe, expect, it } from 'vitest'
import type { NetworkOptions } from '../contract/docker-engine.ts'
import { keysOf } from '../ipam-driver/ipam-steps.ts'
import { recordOf, showEndpoints, startRomana } from './romana-steps.ts'

const LOCAL = { AddressSpace: 'RomanaLocal', Pool: '10.1.17.0/24', Gateway: '10.1.17.1/24' }
const N1 = { NetworkID: 'n1', Options: {}, IPv4Data: [LOCAL], IPv6Data: [] }

/** A pool of segment web of tenant blue is taken, as before each CreateNetwork. */
async function startWithPool() {
  const romana = await startRomana()
  const Options = { tenant: 'blue', segment: 'web' }
  await romana.call('IpamDriver.RequestPool', { AddressSpace: 'RomanaLocal', Options })
  return romana
}

describe('a network', () => {
  it('is answered with nothing, and recorded', async () => {
    const romana = await startWithPool()
    expect(await romana.call('NetworkDriver.CreateNetwork', N1)).toEqual({})
    const record =
      '{"auxiliary":[],"cell":"10.1.17.0/24","gateway":"10.1.17.1","internal":false,"networkId":"n1","segment":"web","tenant":"blue"}'
    expect(await recordOf(romana.journal, '/networks/n1')).toBe(record)
  })

  it('may be made twice, and ten times at once', async () => {
    const romana = await startWithPool()
    await romana.call('NetworkDriver.CreateNetwork', N1)
    const before = romana.kernel.show()
    await Promise.all(Array.from({ length: 10 }, () => romana.call('NetworkDriver.CreateNetwork', N1)))
    expect(romana.kernel.show()).toBe(before)
    expect(romana.plans.length).toBe(1)
  })

  it.each<[string, NetworkOptions, string]>([
    ['--internal', { internal: true }, '"internal":true'],
    [
      '-o com.docker.network.driver.mtu=1400',
      { options: { 'com.docker.network.driver.mtu': '1400' } },
      '"mtu":1400',
    ],
    ['--gateway 10.1.17.254', { gateway: '10.1.17.254' }, '"gateway":"10.1.17.254"'],
  ])('keeps what %s says', async (_option, options, part) => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { tenant: 'blue', ...options })
    expect(await recordOf(romana.journal, '/networks/n1')).toContain(part)
  })

  it('may be removed twice, ten times at once, and without having been there', async () => {
    const romana = await startWithPool()
    await romana.call('NetworkDriver.CreateNetwork', N1)
    const remove = () => romana.call('NetworkDriver.DeleteNetwork', { NetworkID: 'n1' })
    await Promise.all(Array.from({ length: 10 }, remove))
    expect(await remove()).toEqual({})
    expect(await keysOf(romana.journal)).toBe('/pools/10.1.17.0/24')
  })

  it('that is removed beside a running container, which no engine does, does not cut it off', async () => {
    const romana = await startRomana()
    await romana.engine.run('e1', await romana.engine.createNetwork('n1'))
    const before = showEndpoints(romana)
    await romana.call('NetworkDriver.DeleteNetwork', { NetworkID: 'n1' })
    expect(showEndpoints(romana)).toBe(before)
  })

  it('that is the first one changes the host, the second does not', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { tenant: 'blue' })
    await romana.engine.createNetwork('n2', { tenant: 'green' })
    expect(romana.plans.length).toBe(1)
  })

  it('that is the last one takes everything of ours away', async () => {
    const romana = await startRomana()
    romana.kernel.setForwarding(true)
    const networks = [
      await romana.engine.createNetwork('n1', { tenant: 'blue' }),
      await romana.engine.createNetwork('n2', { tenant: 'blue' }),
    ]
    const [first, last] = networks
    if (first === undefined || last === undefined) return
    await romana.engine.removeNetwork(first)
    expect(romana.kernel.show()).toContain('route blackhole 10.1.0.0/16 table 8200 protocol 82')
    await romana.engine.removeNetwork(last)
    expect(romana.kernel.show()).toBe('net.ipv4.ip_forward = 1')
    expect(await keysOf(romana.journal)).toBe('')
  })
})

describe('a network whose addresses come from elsewhere is refused with the command to type, which repeats', () => {
  const other = { ...LOCAL, AddressSpace: 'LocalDefault' }
  const generic = (options: object) => ({ Options: { 'com.docker.network.generic': options } })

  it.each<[string, string, object, string]>([
    ['nothing where there was nothing', 'romana', {}, '-d romana --ipam-driver romana'],
    [
      'the name that was called',
      'romana-net:latest',
      {},
      '-d romana-net:latest --ipam-driver romana-net:latest',
    ],
    [
      'the options that Romana has',
      'romana',
      generic({ nat: 'false', 'com.docker.network.driver.mtu': '1400', parent: 'eth0' }),
      '-d romana --ipam-driver romana -o nat=false -o com.docker.network.driver.mtu=1400',
    ],
    [
      'a wrong value too, as one word of the shell',
      'romana',
      generic({ nat: "don't; know" }),
      "-d romana --ipam-driver romana -o 'nat=don'\\''t; know'",
    ],
    [
      'that it is internal',
      'romana',
      { Options: { 'com.docker.network.internal': true } },
      '-d romana --ipam-driver romana --internal',
    ],
    ['IPv6', 'romana', { IPv6Data: [other] }, '-d romana --ipam-driver romana --ipv6'],
    [
      'IPv6 without IPv4',
      'romana',
      { IPv4Data: [], IPv6Data: [other] },
      '-d romana --ipam-driver romana --ipv6 --ipv4=false',
    ],
  ])('%s', async (_what, name, change, words) => {
    const romana = await startRomana({ driverName: name })
    await expect(
      romana.call('NetworkDriver.CreateNetwork', { ...N1, IPv4Data: [other], ...change }),
    ).rejects.toThrow(
      `Type, with the --ipam-opt that you want: docker network create ${words} NAME (E_IPAM_PAIR)`,
    )
  })
})

describe('a network is refused', () => {
  it.each<[string, object, string]>([
    [
      'whose addresses come from another IPAM driver',
      { IPv4Data: [{ ...LOCAL, AddressSpace: 'LocalDefault' }] },
      'Cannot make the network: its addresses do not come from the Romana IPAM driver. Type, with the --ipam-opt that you want: docker network create -d romana --ipam-driver romana NAME (E_IPAM_PAIR)',
    ],
    ['without a pool', { IPv4Data: [] }, '(E_IPAM_PAIR)'],
    ['without a list of pools', { IPv4Data: null }, '(E_IPAM_PAIR)'],
    [
      'with two pools',
      { IPv4Data: [LOCAL, LOCAL] },
      'Cannot make the network: a network has one IPv4 pool: the cell of its segment. Give one --subnet, or none (E_OPTION)',
    ],
    [
      'with an IPv6 pool that the IPAM driver has not given out',
      { IPv6Data: [{ ...LOCAL, Pool: 'fd00::/64' }] },
      'Cannot make a network of the pool fd00::/64: the Romana IPAM driver has not given it out. Create the network again (E_POOL_UNKNOWN)',
    ],
    ['with two IPv6 pools', { IPv6Data: [LOCAL, LOCAL] }, 'a network has one IPv6 pool'],
    [
      'of a pool that the IPAM driver has not given out',
      { IPv4Data: [{ ...LOCAL, Pool: '10.1.18.0/24' }] },
      'Cannot make a network of the pool 10.1.18.0/24: the Romana IPAM driver has not given it out. Create the network again (E_POOL_UNKNOWN)',
    ],
    ['of a pool that is none', { IPv4Data: [{ ...LOCAL, Pool: 'all' }] }, 'Cannot read the network "all"'],
    ['with a gateway that is none', { IPv4Data: [{ ...LOCAL, Gateway: '10.1.17.1' }] }, '(E_ADDRESS)'],
    [
      'with an option that Romana does not know',
      { Options: { 'com.docker.network.generic': { parent: 'eth0' } } },
      'Cannot use the option "-o parent": Romana does not know it. The options are -o com.docker.network.driver.mtu=BYTES, -o nat=true or false, --ipam-opt tenant=NAME and --ipam-opt segment=NAME (E_OPTION)',
    ],
    ...['', 'no', 'TRUE', '1'].map((nat): [string, object, string] => [
      `with nat=${nat}`,
      { Options: { 'com.docker.network.generic': { nat } } },
      `Cannot use the option "-o nat=${nat}": it is neither true nor false (E_OPTION)`,
    ]),
    ...['67', '65536', '1e3', '', '-1500', '1500.5'].map((mtu): [string, object, string] => [
      `with the MTU "${mtu}"`,
      { Options: { 'com.docker.network.generic': { 'com.docker.network.driver.mtu': mtu } } },
      `Cannot use the MTU "${mtu}": it is not a number from 68 to 65535 (E_OPTION)`,
    ]),
  ])('%s', async (_what, change, message) => {
    const romana = await startWithPool()
    const before = romana.kernel.show()
    await expect(romana.call('NetworkDriver.CreateNetwork', { ...N1, ...change })).rejects.toThrow(message)
    expect(await keysOf(romana.journal)).toBe('/pools/10.1.17.0/24')
    expect(romana.kernel.show()).toBe(before)
  })

  it.each([68, 65_535])('not with the MTU %i', async (mtu) => {
    const romana = await startWithPool()
    const Options = { 'com.docker.network.generic': { 'com.docker.network.driver.mtu': `${mtu}` } }
    expect(await romana.call('NetworkDriver.CreateNetwork', { ...N1, Options })).toEqual({})
  })

  it('while this host uses addresses of the plan for something else', async () => {
    const romana = await startRomana()
    romana.kernel.ip(
      'link add name eth0 mtu 1500 type dummy',
      'link set dev eth0 up',
      'address add 10.5.0.9/16 dev eth0',
    )
    await expect(romana.engine.createNetwork('n1')).rejects.toThrow(
      'Cannot use the address plan "10.0.0.0/8 8/4/4/8": this host uses some of its addresses otherwise: address 10.5.0.9/16 on eth0. A plan that is free here: disable the plugin and set ROMANA_PLAN="',
    )
    expect(await keysOf(romana.directory)).toBe('')
  })
})
