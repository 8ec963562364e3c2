/** The Engine API, as programs use it. */
import { text } from 'node:stream/consumers'
import type Dockerode from 'dockerode'
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'
import type { Subnet } from '../network-subnet.ts'
import { IMAGE } from '../romana-host.ts'

const MAC = '02:11:22:33:44:55'
/** Engines before 25.0 take a MAC for the whole container only. */
const MAC_OF_ENDPOINT = 25

export const API_CASES: readonly NetworkCase[] = [
  {
    title: 'API: a network with IPAM configuration, options and labels, as it was asked for',
    async see(stage) {
      const subnet = stage.subnet()
      const { Driver, Attachable, IPAM, Options, Labels } = await (
        await createNetwork(stage, subnet)
      ).inspect()
      const [config] = IPAM?.Config ?? []
      const asked = {
        Subnet: subnet.cidr,
        IPRange: `${subnet.address(128)}/25`,
        Gateway: subnet.address(254),
      }
      const isRight = Object.entries(asked).every(
        ([name, value]) => new Map(Object.entries(config ?? {})).get(name) === value,
      )
      return [
        Driver === stage.driver,
        IPAM?.Driver === (stage.driver === 'bridge' ? 'default' : stage.driver),
        isRight,
        Attachable,
        Options?.['com.docker.network.driver.mtu'],
        Labels?.['colour'],
      ].join(', ')
    },
    expected: 'true, true, true, true, 1280, blue',
  },
  {
    title: 'API: a container with an address, a MAC and aliases of its own',
    async see(stage) {
      const subnet = stage.subnet()
      await createNetwork(stage, subnet)
      const peer = await stage.idle('peer', stage.name('net'))
      const container = await createContainer(stage, subnet.address(77))
      await container.start()
      const { NetworkSettings } = await container.inspect()
      const endpoint = NetworkSettings.Networks[stage.name('net')]
      const link = await stage.shell(container.id, 'cat /sys/class/net/eth0/address')
      const found = await stage.resolve(peer, 'alias')
      await container.remove({ force: true })
      return [endpoint?.IPAddress, found]
        .map((each) => each === subnet.address(77))
        .concat(link === MAC, endpoint?.MacAddress === MAC)
        .join(', ')
    },
    expected: 'true, true, true, true',
  },
  {
    title: 'API: connect with an address and aliases, disconnect, remove, and the events of it',
    async see(stage) {
      const since = await stage.engineTime()
      const subnet = stage.subnet()
      const network = await createNetwork(stage, subnet)
      const one = await stage.idle('one', await stage.network('other'))
      const peer = await stage.idle('peer', stage.name('net'))
      await network.connect({
        Container: one,
        EndpointConfig: { IPAMConfig: { IPv4Address: subnet.address(77) }, Aliases: ['alias'] },
      })
      const found = (await stage.resolve(peer, 'alias')) === subnet.address(77) ? 'found' : 'not found'
      const reached = await stage.ping(peer, 'alias')
      await network.disconnect({ Container: one })
      await network.disconnect({ Container: peer })
      await network.remove()
      return [found, reached, await eventsOf(stage, network.id, since)].join(', ')
    },
    expected: 'found, reached, create connect connect disconnect destroy',
  },
  {
    title: 'API: an address that is taken, as an error of the start',
    async see(stage) {
      const subnet = stage.subnet()
      await createNetwork(stage, subnet)
      await stage.idle('owner', stage.name('net'), '--ip', subnet.address(77))
      const container = await createContainer(stage, subnet.address(77))
      return await container.start().then(
        () => 'started',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
    },
    expected: {
      difference: 'Refusals have words of their own',
      romana:
        /^\(HTTP code 500\) server error - .*Cannot give out the address 10\.1\.\d+\.77: it is in use\./s,
      bridge: /^\(HTTP code 403\) unexpected - .*Address already in use/s,
    },
  },
]

async function createNetwork(stage: Stage, { cidr, address, options }: Subnet): Promise<Dockerode.Network> {
  return await stage.api.createNetwork({
    Name: stage.name('net'),
    CheckDuplicate: true,
    Driver: stage.driver,
    Attachable: true,
    IPAM: {
      Driver: stage.driver === 'bridge' ? 'default' : stage.driver,
      Options: options,
      Config: [{ Subnet: cidr, IPRange: `${address(128)}/25`, Gateway: address(254) }],
    },
    Options: { 'com.docker.network.driver.mtu': '1280' },
    Labels: { ...stage.labels, colour: 'blue' },
  })
}

async function createContainer(stage: Stage, address: string): Promise<Dockerode.Container> {
  const mac = { MacAddress: MAC }
  return await stage.api.createContainer({
    name: stage.name('api'),
    Image: IMAGE,
    Cmd: ['sleep', '1000'],
    Labels: stage.labels,
    HostConfig: { NetworkMode: stage.name('net') },
    ...(stage.version < MAC_OF_ENDPOINT ? mac : {}),
    NetworkingConfig: {
      EndpointsConfig: {
        [stage.name('net')]: {
          IPAMConfig: { IPv4Address: address },
          Aliases: ['alias'],
          ...(stage.version < MAC_OF_ENDPOINT ? {} : mac),
        },
      },
    },
  })
}

/** What was done with a network since then, a moment of the engine's clock. */
async function eventsOf(stage: Stage, id: string, since: string): Promise<string> {
  const until = Number(await stage.engineTime())
  const filters = { network: [id] }
  const stream = await stage.api.getEvents({ since: Number(since), until, filters })
  const events = await text(stream)
  const actions = [...events.matchAll(/"Action":"(\w+)"/g)].map(([, action = '']) => action)
  // 20.10 tells a disconnect twice.
  return actions.filter((action, index) => action !== 'disconnect' || actions[index - 1] !== action).join(' ')
}
