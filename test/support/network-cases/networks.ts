/** What is done with a network, one verb after the other. */
import type { NetworkCase } from '../network-case.ts'

export const NETWORK_CASES: readonly NetworkCase[] = [
  {
    title: 'network inspect and ls: driver, scope, containers with their addresses',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      await stage.idle('one', network)
      const containers = '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.MacAddress}}{{end}}'
      const [name, cidr = '', mac] = (
        await stage.docker('network', 'inspect', '--format', containers, network)
      ).split(' ')
      const filters = [`driver=${stage.driver}`, `name=${network}`, 'type=custom', 'scope=local']
      const list = await stage.docker(
        'network',
        'ls',
        '--format',
        '{{.Name}} {{.Driver}} {{.Scope}}',
        ...filters.flatMap((each) => ['--filter', each]),
      )
      const link = await stage.shell(stage.name('one'), 'cat /sys/class/net/eth0/address')
      return `${name} ${cidr.startsWith(`${address(2)}/`)} ${mac === link}; ${list.replace(stage.driver, 'DRIVER')}`
    },
    expected: 'one true true; net DRIVER local',
  },
  {
    title: 'network rm with a running container, with a stopped one and with none',
    async see(stage) {
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      const refusal = await stage.refusal('network', 'rm', network)
      await stage.docker('stop', one)
      const stopped = await stage.outcome('network', 'rm', network)
      const start = await stage.outcome('start', one)
      return `${/has active endpoints/.exec(refusal)?.[0] ?? refusal}; ${stopped}; start: ${start}`
    },
    expected: 'has active endpoints; succeeded; start: failed',
  },
  {
    title: 'network prune: those without a container, and no others',
    async see(stage) {
      const used = await stage.network('used')
      await stage.idle('one', used)
      for (const short of ['unused', 'spare']) await stage.network(short)
      await stage.docker('network', 'prune', '--force', '--filter', `label=${stage.label}`)
      return await stage.docker('network', 'ls', '--format', '{{.Name}}', '--filter', `label=${stage.label}`)
    },
    expected: 'used',
  },
  {
    title: 'docker events of a network and a container of it',
    async see(stage) {
      const since = await stage.engineTime()
      const network = await stage.network('net')
      const one = await stage.idle('one', network)
      await stage.docker('rm', '--force', one)
      await stage.docker('network', 'rm', network)
      const events = [
        'events',
        '--since',
        since,
        '--until',
        await stage.engineTime(),
        '--filter',
        `network=${network}`,
      ]
      const seen = await stage.docker(...events, '--format', '{{.Action}} {{.Actor.Attributes.type}}')
      return seen.replaceAll(stage.driver, 'DRIVER').split('\n').join(', ')
    },
    expected: 'create DRIVER, connect DRIVER, disconnect DRIVER, destroy DRIVER',
  },
]
