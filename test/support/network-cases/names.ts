/** Names: the engine's name server in each container, /etc/hosts and /etc/resolv.conf. */
import type { NetworkCase } from '../network-case.ts'
import { IMAGE } from '../romana-host.ts'
import { DOMAIN } from '../services.ts'

export const NAME_CASES: readonly NetworkCase[] = [
  {
    title: 'a container finds others of its network by name, --network-alias, --hostname and id',
    async see(stage) {
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      const two = await stage.idle(
        'two',
        network,
        '--network-alias',
        'alias',
        '--network-alias',
        'other',
        '--hostname',
        'host',
      )
      const id = (await stage.docker('inspect', '--format', '{{.Id}}', two)).slice(0, 12)
      const address = await stage.addressOf(two, network)
      const names = [two, 'alias', 'other', 'host', id, 'nobody', `${two}.${network}`]
      const found = await Promise.all(names.map((name) => stage.resolve(one, name)))
      return found.map((each) => (each === address ? 'found' : each || 'not found')).join(', ')
    },
    expected: 'found, found, found, found, found, not found, found',
  },
  {
    title: 'a name finds all containers that have it as an alias',
    async see(stage) {
      const network = await stage.network('net')
      const shorts = ['one', 'two', 'three']
      const names = await Promise.all(
        shorts.map((short) => stage.idle(short, network, '--network-alias', 'all')),
      )
      const addresses = await Promise.all(names.map((name) => stage.addressOf(name, network)))
      return (await stage.resolve(names[0] ?? '', 'all')) === addresses.sort().join(' ')
        ? 'all three'
        : 'others'
    },
    expected: 'all three',
  },
  {
    title: 'names of another network are not found, and its containers not reached',
    async see(stage) {
      const [one, two] = [await stage.network('one'), await stage.network('two')]
      const client = await stage.idle('client', one)
      const server = await stage.idle('server', two, '--network-alias', 'alias')
      const found = [await stage.resolve(client, server), await stage.resolve(client, 'alias')]
      return [
        ...found.map((each) => each || 'not found'),
        await stage.ping(client, await stage.addressOf(server, two)),
      ].join(', ')
    },
    expected: 'not found, not found, not reached',
  },
  {
    title: 'the name of an address',
    async see(stage) {
      const network = await stage.network('net')
      const [one, two] = [await stage.idle('one', network), await stage.idle('two', network)]
      const answer = await stage.shell(one, `nslookup ${await stage.addressOf(two, network)} 127.0.0.11`)
      return /name = (\S+)/.exec(answer)?.[1] ?? answer
    },
    expected: 'two.net',
  },
  {
    title: 'a container finds names outside through the name server of its host',
    async see(stage) {
      const container = await stage.idle('one', await stage.network('net'))
      return [
        await stage.resolve(container, `www.${DOMAIN}`),
        (await stage.resolve(container, 'www.invalid')) || 'not found',
      ].join(', ')
    },
    expected: '203.0.113.1, not found',
  },
  {
    title: 'a container asks a name server of its host at the gateway',
    async see(stage) {
      const { args, address } = stage.subnet()
      const container = await stage.idle('one', await stage.network('net', ...args))
      return await stage.resolve(container, `www.${DOMAIN}`, address(1))
    },
    expected: '203.0.113.1',
  },
  {
    title: 'a container of an --internal network finds names of its network only',
    async see(stage) {
      const network = await stage.network('net', '--internal')
      const [one, two] = [await stage.idle('one', network), await stage.idle('two', network)]
      return [
        (await stage.resolve(one, two)) === (await stage.addressOf(two, network)) ? 'found' : 'not found',
        (await stage.resolve(one, `www.${DOMAIN}`)) || 'not found',
      ].join(', ')
    },
    expected: 'found, not found',
  },
  {
    title: '--dns, --dns-search and --dns-option',
    async see(stage) {
      const network = await stage.network('net')
      const options = ['--dns', stage.outside, '--dns-search', DOMAIN, '--dns-option', 'timeout:3']
      const container = await stage.idle('one', network, ...options)
      const lines = await stage.shell(container, "grep -v '^#' /etc/resolv.conf")
      const search = await stage.ping(container, 'www')
      return [
        ...lines
          .split('\n')
          .filter((line) => line !== '')
          .sort(),
        search,
      ].join('; ')
    },
    expected: `nameserver 127.0.0.11; options timeout:3 ndots:0; search ${DOMAIN}; reached`,
  },
  {
    title: '--hostname and --add-host',
    async see(stage) {
      const network = await stage.network('net')
      const container = await stage.idle(
        'one',
        network,
        '--hostname',
        'host',
        '--add-host',
        'other:192.0.2.7',
      )
      const address = await stage.addressOf(container, network)
      return [
        await stage.shell(container, 'hostname'),
        await stage.shell(container, "sed -n 's/\\tother$//p' /etc/hosts"),
        await stage.ping(container, 'host'),
        (await stage.shell(container, "sed -n 's/\\thost$//p' /etc/hosts")).replace(address, 'its address'),
      ].join(', ')
    },
    expected: {
      difference: 'Docker 28 writes the own address in another form',
      romana: (version) =>
        version === 28
          ? 'host, 192.0.2.7, not reached, ::ffff:its address'
          : 'host, 192.0.2.7, reached, its address',
      bridge: 'host, 192.0.2.7, reached, its address',
    },
  },
  {
    title: '--link: another name for a container of the same network',
    async see(stage) {
      const network = await stage.network('net')
      const server = await stage.idle('server', network)
      const client = await stage.idle('client', network, '--link', `${server}:link`)
      return (await stage.resolve(client, 'link')) === (await stage.addressOf(server, network))
        ? 'found'
        : 'not found'
    },
    expected: 'found',
  },
  {
    title: 'docker rename: the new name is found, the old one is not',
    async see(stage) {
      const network = await stage.network('net')
      const [one, two] = [await stage.idle('one', network), await stage.idle('two', network)]
      const address = await stage.addressOf(two, network)
      await stage.docker('rename', two, stage.name('new'))
      const found = await Promise.all([stage.name('new'), two].map((name) => stage.resolve(one, name)))
      return found.map((each) => (each === address ? 'found' : each || 'not found')).join(', ')
    },
    expected: 'found, not found',
  },
  {
    title: '--network container:NAME: the same addresses and links',
    async see(stage) {
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      const show = "ip -o -4 address show dev eth0 | sed 's/.*inet //; s/ .*//'"
      const shared = await stage.docker(
        'run',
        '--rm',
        '--label',
        stage.label,
        '--network',
        `container:${one}`,
        IMAGE,
        'sh',
        '-c',
        show,
      )
      return shared === (await stage.shell(one, show)) ? 'the same' : shared
    },
    expected: 'the same',
  },
]
