import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { HostNumberSchema } from '../../store/ids.ts'
import { journalKeys } from '../../store/keys.ts'
import { formatRecord } from '../../store/records.ts'
import { overtaken } from '../ipam-driver/directory-steps.ts'
import { CREATE, NAMES, startWithNetwork, tenTimes } from './endpoint-steps.ts'
import { type Romana, recordOf, showEndpoints, startRomana, takenIn } from './romana-steps.ts'

const LINKS = `link rmne1 mtu 1500 peer rmp1 up alias "romana1 e1 n1 10.1.17.2 blue web /var/run/docker/netns/c1"
link rmp1 mtu 1500 peer rmne1 down
address 10.1.17.1/32 dev rmne1
route 10.1.17.2/32 dev rmne1 table 8200 protocol 82`

describe('Join', () => {
  it('makes links, gateway and route, and says which link to move', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await romana.callNetwork('Join')).toEqual({
      InterfaceName: { SrcName: 'rmp1', DstPrefix: 'eth' },
      Gateway: '10.1.17.1',
      StaticRoutes: [
        { Destination: '10.1.17.1/32', RouteType: 1, NextHop: '' },
        { Destination: '10.1.17.0/24', RouteType: 0, NextHop: '10.1.17.1' },
      ],
    })
    expect(showEndpoints(romana)).toBe(LINKS)
  })

  it('on an internal network gives no gateway, which would be a way out', async () => {
    const romana = await startWithNetwork({ internal: true })
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await romana.callNetwork('Join')).toEqual({
      InterfaceName: { SrcName: 'rmp1', DstPrefix: 'eth' },
      StaticRoutes: [
        { Destination: '10.1.17.1/32', RouteType: 1, NextHop: '' },
        { Destination: '10.1.17.0/24', RouteType: 0, NextHop: '10.1.17.1' },
      ],
    })
    expect(showEndpoints(romana)).toContain('link rmni1 mtu 1500')
  })

  it('gives routes to the segment on every other host', async () => {
    const romana = await startWithNetwork({ internal: true })
    await knowPeers(romana, [7, 3])
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await routesOfJoin(romana)).toEqual([
      '10.1.17.1/32 on the link',
      '10.1.17.0/24 via 10.1.17.1',
      '10.3.17.0/24 via 10.1.17.1',
      '10.7.17.0/24 via 10.1.17.1',
    ])
  })

  it('gives none to other hosts where they are very many', async () => {
    const romana = await startWithNetwork()
    await knowPeers(
      romana,
      Array.from({ length: 129 }, (_, index) => index + 2),
    )
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await routesOfJoin(romana)).toEqual(['10.1.17.1/32 on the link', '10.1.17.0/24 via 10.1.17.1'])
  })

  it('goes by the gateway and the MTU of the network', async () => {
    const romana = await startWithNetwork({
      gateway: '10.1.17.254',
      options: { 'com.docker.network.driver.mtu': '1400' },
    })
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await romana.callNetwork('Join')).toMatchObject({ Gateway: '10.1.17.254' })
    expect(showEndpoints(romana)).toContain('link rmne1 mtu 1400 peer rmp1 up')
    expect(showEndpoints(romana)).toContain('address 10.1.17.254/32 dev rmne1')
  })

  it('has the smallest MTU of the uplinks where the network says none', async () => {
    const romana = await startRomana()
    const { kernel, engine } = romana
    kernel.ip('link add name eth0 mtu 1450 type dummy', 'link set dev eth0 up', 'route add default dev eth0')
    await engine.run('e1', await engine.createNetwork('n1'))
    expect(showEndpoints(romana)).toContain('link rmne1 mtu 1450 peer elsewhere up')
  })

  it('has that of the link to the other hosts where it is smaller', async () => {
    const romana = await startRomana()
    const { kernel, engine } = romana
    kernel.ip('link add name eth0 mtu 1500 type dummy', 'link set dev eth0 up', 'route add default dev eth0')
    kernel.ip('link add name eth1 mtu 1420 type dummy', 'link set dev eth1 up')
    kernel.ip('route add 198.18.1.0/24 dev eth1')
    const network = await engine.createNetwork('n1')
    await knowPeers(romana, [12])
    await engine.run('e1', network)
    expect(showEndpoints(romana)).toContain('link rmne1 mtu 1420 peer elsewhere up')
  })

  it('may come twice, and ten times at once', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    expect(await tenTimes(() => romana.callNetwork('Join'))).toHaveLength(1)
    await romana.callNetwork('Join')
    expect(showEndpoints(romana)).toBe(LINKS)
  })

  it('of an endpoint that Romana does not know is refused', async () => {
    const { callNetwork } = await startWithNetwork()
    await expect(callNetwork('Join')).rejects.toThrow(
      'Cannot join endpoint "e1" to network "n1": Romana has no record of the endpoint. Start the container again (E_ENDPOINT_UNKNOWN)',
    )
  })

  it('that is overtaken by the end of its endpoint is refused, and makes no links', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    const release = { PoolID: romana.poolId, Address: '10.1.17.2' }
    const journal = overtaken(romana.journal, () => romana.call('IpamDriver.ReleaseAddress', release))
    const { call } = await startRomana({ ...romana, journal })
    await expect(call('NetworkDriver.Join', NAMES)).rejects.toThrow(
      'Cannot join endpoint "e1" to network "n1": Romana has no record of the endpoint. Start the container again (E_ENDPOINT_UNKNOWN)',
    )
    expect(showEndpoints(romana)).toBe('')
    expect(await takenIn(romana)).toBe('')
  })

  it('after a Leave makes the links anew', async () => {
    const romana = await startWithNetwork()
    await romana.callNetwork('CreateEndpoint', CREATE)
    await romana.callNetwork('Join')
    await romana.callNetwork('Leave')
    expect(await romana.callNetwork('Join')).toMatchObject({ InterfaceName: { SrcName: 'rmp2' } })
    expect(showEndpoints(romana)).toBe(LINKS.replaceAll(/rm(ne|p)1/g, 'rm$12'))
    expect(await recordOf(romana.journal, '/endpoints/e1')).toContain('"joined":true,"linkNumber":2')
  })
})

/** The plugin looks at its host when the hosts of the cluster change. */
async function knowPeers(
  { journal, drivers }: Pick<Romana, 'journal' | 'drivers'>,
  numbers: readonly number[],
): Promise<void> {
  for (const each of numbers) {
    const number = v.parse(HostNumberSchema, each)
    const value = formatRecord({ number, address: Ip.parse(`198.18.1.${each}`) })
    await journal.commit([{ kind: 'put', key: journalKeys.peer(number), value }])
  }
  await drivers.network.host.repair([])
}

const Answer = v.object({
  StaticRoutes: v.array(v.object({ Destination: v.string(), RouteType: v.number(), NextHop: v.string() })),
})

async function routesOfJoin(romana: Awaited<ReturnType<typeof startWithNetwork>>): Promise<string[]> {
  const { StaticRoutes } = v.parse(Answer, await romana.callNetwork('Join'))
  return StaticRoutes.map(
    ({ Destination, RouteType, NextHop }) =>
      `${Destination} ${RouteType === 1 ? 'on the link' : `via ${NextHop}`}`,
  )
}
