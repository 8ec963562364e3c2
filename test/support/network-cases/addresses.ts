/** The address of a container: `docker run --ip`, and without. */
import type { NetworkCase } from '../network-case.ts'
import { IMAGE } from '../romana-host.ts'

export const ADDRESS_CASES: readonly NetworkCase[] = [
  {
    title: '--ip: the address, also after stop and start',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const container = await stage.idle('one', network, '--ip', address(77))
      const before = await stage.addressOf(container, network)
      await stage.docker('stop', container)
      await stage.idle('two', network)
      await stage.docker('start', container)
      const after = await stage.addressOf(container, network)
      return [before, after].every((seen) => seen === address(77)) ? 'kept' : `${before}, ${after}`
    },
    expected: 'kept',
  },
  {
    title: '--ip of a running container; and the same once that is gone',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const first = await stage.idle('one', network, '--ip', address(77))
      const command = [
        ...stage.runArgs('two', network, '--ip', address(77), '--detach'),
        IMAGE,
        'sleep',
        '1000',
      ]
      const refusal = await stage.refusal(...command)
      await stage.docker('rm', '--force', first)
      await stage.docker('start', stage.name('two'))
      return `${(await stage.addressOf(stage.name('two'), network)) === address(77)} ${refusal}`
    },
    expected: {
      difference: 'Refusals have words of their own',
      romana:
        /^true docker: .*Cannot give out the address 10\.1\.\d+\.77: it is in use\. Choose another one, or none \(E_ADDRESS_TAKEN\)/,
      bridge: /^true docker: .*Address already in use/,
    },
  },
  {
    title: '--ip outside the subnet',
    async see(stage) {
      const network = await stage.network('net', ...stage.subnet().args)
      return await stage.refusal(...stage.runArgs('one', network, '--ip', '192.0.2.1'), IMAGE, 'true')
    },
    expected:
      /no configured subnet .*192\.0\.2\.1|192\.0\.2\.1: It does not belong to any of this network's subnets/,
  },
  {
    title: '--ip of the gateway, and of the first and the last address of the subnet',
    async see(stage) {
      const { args, address } = stage.subnet()
      const network = await stage.network('net', ...args)
      const outcomes = [0, 1, 255].map((lastByte) =>
        stage.outcome(...stage.runArgs(`c${lastByte}`, network, '--ip', address(lastByte)), IMAGE, 'true'),
      )
      return (await Promise.all(outcomes)).join(', ')
    },
    expected: 'failed, failed, failed',
  },
  {
    title: '--ip on a network without --subnet',
    async see(stage) {
      const network = await stage.network('net')
      return await stage.refusal(...stage.runArgs('one', network, '--ip', '10.1.17.77'), IMAGE, 'true')
    },
    expected:
      /user specified IP address is supported only when connecting to networks with user configured subnets/,
  },
  {
    title: 'a container that is restarted: its address',
    async see(stage) {
      const network = await stage.network('net')
      const container = await stage.idle('one', network)
      const before = await stage.addressOf(container, network)
      await stage.docker('restart', '--time', '0', container)
      return before === (await stage.addressOf(container, network)) ? 'the same' : 'another one'
    },
    expected: {
      difference: 'A released address rests',
      romana: 'another one',
      bridge: 'the same',
    },
  },
]
