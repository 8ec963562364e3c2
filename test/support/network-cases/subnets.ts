/** `docker network create`: the options that concern addresses. */
import type { NetworkCase } from '../network-case.ts'
import type { Stage } from '../network-stage.ts'
import { IMAGE } from '../romana-host.ts'

const SUBNETS = '{{range .IPAM.Config}}{{.Subnet}}{{end}}'

export const SUBNET_CASES: readonly NetworkCase[] = [
  {
    title: '--subnet: the network has it, and containers get addresses of it from .2 on',
    async see(stage) {
      const { cidr, args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const container = await stage.idle('one', network)
      const config = await stage.docker('network', 'inspect', '--format', SUBNETS, network)
      return [
        config === cidr ? 'shown' : config,
        (await stage.addressOf(container, network)) === address(2) ? '.2' : 'other',
      ].join(', ')
    },
    expected: 'shown, .2',
  },
  {
    title: '--subnet of another network',
    async see(stage) {
      const { args } = stage.subnet()
      await stage.network('net', ...args)
      return await stage.refusal(...stage.createArgs(...args), stage.name('again'))
    },
    expected: {
      difference: 'Networks of one segment share its subnet',
      romana: 'succeeded',
      bridge: /Pool overlaps with other one on this address space$/,
    },
  },
  {
    title: 'two --subnets',
    async see(stage) {
      const [one, two] = [stage.subnet(), stage.subnet()]
      return await stage.refusal(...stage.createArgs(...one.args, '--subnet', two.cidr), stage.name('net'))
    },
    expected: {
      difference: 'Refusals have words of their own',
      romana:
        /Cannot use the subnet "10\.1\.\d+\.0\/24": segment "s\d+" of tenant "t\d+" has 10\.1\.\d+\.0\/24 on this host\./,
      bridge: /bridge driver doesn't support multiple subnets$/,
    },
  },
  {
    title: 'any --subnet',
    see: (stage) => stage.refusal(...stage.createArgs('--subnet', '172.30.250.0/24'), stage.name('net')),
    expected: {
      difference: 'A subnet follows from the segment',
      romana: /Cannot use the subnet "172\.30\.250\.0\/24": it lies outside the plan 10\.0\.0\.0\/8\./,
      bridge: 'succeeded',
    },
  },
  {
    title: '--ip-range: addresses that nobody asks for by name come from it, until it is full',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args, '--ip-range', `${address(128)}/30`)
      const seen: string[] = []
      for (let full = ''; full === ''; ) {
        const short = `c${seen.length}`
        const outcome = await stage.refusal(
          ...stage.runArgs(short, network, '--detach'),
          IMAGE,
          'sleep',
          '1000',
        )
        if (outcome === 'succeeded') seen.push(await lastByteOf(stage, short, network))
        else full = outcome
        if (full !== '') seen.push(full.replaceAll(/[0-9a-f]{64}/g, ''))
      }
      await stage.idle('named', network, '--ip', address(77))
      return [await lastByteOf(stage, 'named', network), ...seen].join(' ')
    },
    expected: {
      difference: 'Refusals have words of their own',
      romana:
        /^77 128 129 130 131 docker: .*Cannot give out an address of segment "s\d+" of tenant "t\d+": all 4 endpoint addresses of 10\.1\.\d+\.128\/30 are taken\. Remove containers, or use another segment \(E_POOL_FULL\)/,
      bridge: /^77 129 130 131 docker: .*no available IPv4 addresses on this network's address pools: net/,
    },
  },
  {
    title: '--gateway: it is the default route of containers and no address of theirs',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args, '--gateway', address(254))
      const container = await stage.idle('one', network)
      const routes = await stage.shell(container, 'ip route show')
      const [, gateway] = /^default via (\S+) dev eth0/.exec(routes) ?? []
      return [
        gateway === address(254) ? 'default via .254' : routes,
        await stage.ping(container, address(254)),
        await stage.outcome(...stage.runArgs('two', network, '--ip', address(254)), IMAGE, 'true'),
      ].join(', ')
    },
    expected: 'default via .254, reached, failed',
  },
  {
    title: "--gateway: the first address of the subnet is a container's then",
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args, '--gateway', address(254))
      return await stage.refusal(...stage.runArgs('one', network, '--ip', address(1)), IMAGE, 'true')
    },
    expected: {
      difference: 'The first address of a subnet is kept',
      romana:
        /Cannot give out the address 10\.1\.\d+\.1: it is the gateway of 10\.1\.\d+\.0\/24\. Choose one of 10\.1\.\d+\.0\/24, or none \(E_ADDRESS_REFUSED\)/,
      bridge: 'succeeded',
    },
  },
  {
    title: '--aux-address: nobody gets it, by name or without',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args, '--aux-address', `printer=${address(2)}`)
      const container = await stage.idle('one', network)
      const taken = await stage.outcome(...stage.runArgs('two', network, '--ip', address(2), IMAGE, 'true'))
      return [(await stage.addressOf(container, network)) === address(3) ? '.3' : 'other', taken].join(', ')
    },
    expected: '.3, failed',
  },
  {
    title: '--config-from: the subnet of the other network',
    async see(stage) {
      const { args, cidr } = stage.subnet()
      const [config, network] = [stage.name('config'), stage.name('net')]
      const ipam = stage.driver === 'bridge' ? [] : ['--ipam-driver', stage.driver]
      await stage.docker(
        'network',
        'create',
        '--config-only',
        '--label',
        stage.label,
        ...ipam,
        ...args,
        config,
      )
      // Even the label comes from the other one.
      await stage.docker('network', 'create', '--driver', stage.driver, '--config-from', config, network)
      const shown = await stage.docker('network', 'inspect', '--format', SUBNETS, network)
      await stage.docker('network', 'rm', network)
      return shown === cidr ? 'shown' : shown
    },
    expected: 'shown',
  },
]

async function lastByteOf(stage: Stage, short: string, network: string): Promise<string> {
  return (await stage.addressOf(stage.name(short), network)).split('.').at(-1) ?? ''
}
