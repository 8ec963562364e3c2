/** `docker network create`: all options but those that concern addresses. */
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'

export const CREATE_CASES: readonly NetworkCase[] = [
  {
    title: '--internal: containers reach each other and nothing outside',
    async see(stage) {
      const network = await stage.network('net', '--internal')
      const [one, two] = [await stage.idle('one', network), await stage.idle('two', network)]
      return [await stage.ping(one, two), await stage.ping(one, stage.outside)].join(', ')
    },
    expected: 'reached, not reached',
  },
  {
    title: '--internal: the host reaches them',
    async see(stage) {
      const network = await stage.network('net', '--internal')
      const one = await stage.idle('one', network)
      const ping = ['-c', '1', '-W', '1', await stage.addressOf(one, network)]
      return (await stage.host.run('ping', ping, { reject: false })).exitCode === 0 ? 'yes' : 'no'
    },
    expected: 'yes',
  },
  {
    title: '--label: shown, and found by filter',
    async see(stage) {
      const network = await stage.network('net', '--label', 'colour=blue')
      await stage.network('other', '--label', 'colour=green')
      const filters = [`label=${stage.label}`, 'label=colour=blue'].flatMap((each) => ['--filter', each])
      return [
        await stage.docker('network', 'inspect', '--format', '{{.Labels.colour}}', network),
        await stage.docker('network', 'ls', '--format', '{{.Name}}', ...filters),
      ].join(', ')
    },
    expected: 'blue, net',
  },
  {
    title: '--attachable: shown',
    see: async (stage) =>
      await stage.docker(
        'network',
        'inspect',
        '--format',
        '{{.Attachable}}',
        await stage.network('net', '--attachable'),
      ),
    expected: 'true',
  },
  {
    title: '-o com.docker.network.driver.mtu: the MTU of the links',
    async see(stage) {
      const network = await stage.network('net', '-o', 'com.docker.network.driver.mtu=1280')
      return await mtuOf(stage, await stage.idle('one', network))
    },
    expected: '1280 inside, 1280 outside',
  },
  {
    title: 'the MTU without an option, where the uplink has 1450',
    async see(stage) {
      return await mtuOf(stage, await stage.idle('one', await stage.network('net')))
    },
    expected: {
      difference: 'The MTU is that of the uplink',
      romana: '1450 inside, 1450 outside',
      bridge: '1500 inside, 1500 outside',
    },
  },
  {
    title: '--ipv6 with any --subnet',
    async see(stage) {
      const create = stage.createArgs(
        '--ipv6',
        '--subnet',
        `fd00:${stage.name('').replaceAll(/\D/g, '')}::/64`,
      )
      return await stage.refusal(...create, stage.name('net'))
    },
    expected: {
      difference: 'A subnet follows from the segment',
      romana: /Cannot use the subnet "fd00:\d*::\/64": it lies outside the plan fd[0-9a-f:]+\/48\./,
      bridge: 'succeeded',
    },
  },
  {
    title: 'an option that no driver knows',
    see: (stage) => stage.refusal(...stage.createArgs('-o', 'colour=blue'), stage.name('net')),
    expected: {
      difference: 'Options are never ignored',
      romana:
        /Cannot use the option "-o colour": Romana does not know it\. The options are -o com\.docker\.network\.driver\.mtu=BYTES, /,
      bridge: 'succeeded',
    },
  },
  {
    title: 'an --ipam-opt that no driver knows',
    see: (stage) => stage.refusal(...stage.createArgs('--ipam-opt', 'colour=blue'), stage.name('net')),
    expected: {
      difference: 'Options are never ignored',
      romana: /Cannot use the option "--ipam-opt colour": Romana does not know it/,
      bridge: 'succeeded',
    },
  },
  {
    title: 'an option of the driver bridge',
    see: (stage) =>
      stage.refusal(
        ...stage.createArgs('-o', 'com.docker.network.bridge.enable_icc=false'),
        stage.name('net'),
      ),
    expected: {
      difference: 'Options are never ignored',
      romana: /Cannot use the option "-o com\.docker\.network\.bridge\.enable_icc"/,
      bridge: 'succeeded',
    },
  },
  {
    title: 'a name that is taken',
    async see(stage) {
      await stage.network('net')
      return await stage.refusal(...stage.createArgs(), stage.name('net'))
    },
    expected: /network with name net already exists$/,
  },
]

async function mtuOf(stage: Stage, container: string): Promise<string> {
  const link = await stage.shell(container, 'cat /sys/class/net/eth0/mtu /sys/class/net/eth0/iflink')
  const [inside, index] = link.split('\n')
  const { stdout } = await stage.host.run('ip', ['-o', 'link', 'show'])
  const outside = new RegExp(`^${index}: .* mtu (\\d+) `, 'm').exec(stdout)?.[1]
  return `${inside} inside, ${outside} outside`
}
