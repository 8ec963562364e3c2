/** One server that publishes in every form of -p, and a table of who reaches it how, and as whom. */
import type { Lab } from '../../lab/lab.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { type Caller, callerIn, callerInContainer, callPorts, servePorts } from './port-world.ts'
import { address6Of, addressOf, IMAGE, startIdle } from './romana-host.ts'

/** A second address of the host. */
export const SECOND = '198.18.1.99'
export const SECOND6 = '2001:db8:1::99'

/**
 * A form of -p, and where it is called: host port, protocol. Behind "@" an address other than the host's first, or "6": its first
 * IPv6 address.
 */
export const FORMS: readonly (readonly [form: string, ...calls: string[]])[] = [
  ['-p 8001:80', 'tcp:8001', 'tcp:8001@6'],
  ['-p 8002:80/tcp', 'tcp:8002'],
  ['-p 8003:53/udp', 'udp:8003', 'udp:8003@6'],
  ['-p 127.0.0.1:8004:80', 'tcp:8004', 'tcp:8004@6'],
  ['-p 127.0.0.1:8005:53/udp', 'udp:8005'],
  [`-p ${SECOND}:8006:80`, 'tcp:8006', `tcp:8006@${SECOND}`],
  [`-p ${SECOND}:8007:53/udp`, 'udp:8007', `udp:8007@${SECOND}`],
  ['-p 0.0.0.0:8008:80', 'tcp:8008', `tcp:8008@${SECOND}`, 'tcp:8008@6'],
  ['-p 8009-8010:81', 'tcp:8009'],
  ['-p 8011-8013:81-83', 'tcp:8011', 'tcp:8012', 'tcp:8013', 'tcp:8013@6'],
  ['-p published=8014,target=80', 'tcp:8014'],
  ['-p published=8015,target=53,protocol=udp', 'udp:8015'],
  ['-p 8016:80/tcp', 'tcp:8016'],
  ['-p 8016:53/udp', 'udp:8016'],
  ['-p 80:80', 'tcp:80'],
  ['-p 53:53/udp', 'udp:53', `udp:53@${SECOND6}`],
  ['-p 8019:80', 'tcp:8019'],
  ['-p 127.0.0.1:8021:80', 'tcp:8021'],
  [`-p ${SECOND}:8021:80`, `tcp:8021@${SECOND}`],
  ['-p 127.0.0.2:8022:80', 'tcp:8022@127.0.0.2'],
  ['-p 1:80', 'tcp:1'],
  ['-p 65535:80', 'tcp:65535'],
  ['-p 8023-8024:53/udp', 'udp:8023'],
  ['-p 8026:82', 'tcp:8026'],
  ['-p [::]:8030:80', 'tcp:8030', 'tcp:8030@6', `tcp:8030@${SECOND6}`],
  ['-p [::1]:8031:80', 'tcp:8031', 'tcp:8031@6'],
  ['-p [::1]:8032:53/udp', 'udp:8032', 'udp:8032@6'],
  [`-p [${SECOND6}]:8033:80`, 'tcp:8033', 'tcp:8033@6', `tcp:8033@${SECOND6}`],
  [`-p [${SECOND6}]:8034:53/udp`, 'udp:8034', 'udp:8034@6', `udp:8034@${SECOND6}`],
  ['-p [::1]:8035:80', 'tcp:8035@6'],
  [`-p [${SECOND6}]:8035:80`, `tcp:8035@${SECOND6}`],
  ['-p [::]:8036:53/udp', 'udp:8036@6'],
  ['-p 8037-8038:81', 'tcp:8037@6'],
]

const SERVED = ['tcp:80', 'tcp:81', 'tcp:82', 'tcp:83', 'udp:53']

/** The networks of one driver: two that do not reach each other. */
export interface PortNetworks {
  readonly own: string
  readonly other: string
}

/** The server's name in the engine. */
export const SERVER = 'server'

/** A line for each call: the form, then for each caller whom the server sees. Callers who get no answer are left out. */
export async function portTable(lab: Lab, host: LabHost, { own, other }: PortNetworks): Promise<string> {
  const forms = FORMS.flatMap(([form]) => form.split(' '))
  await startIdle(host, SERVER, own, ...forms)
  await startIdle(host, 'peer', own)
  await startIdle(host, 'stranger', other)
  const callers = await callersOf(lab, host)
  await using _serving = await servePorts(await callerInContainer(host, SERVER, SERVER), SERVED)
  const names = await namesOf(host)
  const calls = FORMS.flatMap(([form, ...targets]) => targets.map((call) => ({ form, call })))
  const seen = await Promise.all(
    callers.map(async (caller) => {
      const targets = calls.map(({ call }) => targetOf(call, caller, host))
      return { caller, answers: await callPorts(caller, targets) }
    }),
  )
  const lines = calls.map(({ form, call }) => {
    const parts = seen.flatMap(({ caller, answers }) => {
      const address = answers.get(targetOf(call, caller, host)) ?? ''
      return address === 'nothing' ? [] : [`${caller.name} as ${names.get(address) ?? address}`]
    })
    const where = call.includes('@') ? ` at ${call.replace(/.*@/, '').replace(/^6$/, 'IPv6')}` : ''
    return `${form}${where}: ${parts.join(', ') || 'nobody'}`
  })
  await host.docker(['rm', '--force', SERVER, 'peer', 'stranger'])
  return lines.join('\n')
}

async function callersOf(lab: Lab, host: LabHost): Promise<Caller[]> {
  return [
    callerIn('outside', lab.router.netns),
    callerIn('host', host.netns),
    callerIn('loopback', host.netns),
    await callerInContainer(host, 'peer', 'peer'),
    await callerInContainer(host, 'stranger', 'stranger'),
    await callerInContainer(host, 'itself', SERVER),
  ]
}

/** "tcp:8006@198.18.1.99" is called there by all but loopback; without an address it is the host's first. */
function targetOf(call: string, { name }: Caller, host: LabHost): string {
  const [port = '', place = host.address] = call.split('@')
  const address = place === '6' ? host.address6 : place
  const isLoopback = name === 'loopback' && !address.startsWith('127.')
  if (address.includes(':')) return port.replace(':', `:[${isLoopback ? '::1' : address}]:`)
  return port.replace(':', `:${isLoopback ? '127.0.0.1' : address}:`)
}

async function namesOf(host: LabHost): Promise<Map<string, string>> {
  const { stdout } = await host.docker([
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.Gateway}} {{.IPv6Gateway}}{{end}}',
    SERVER,
  ])
  const containers = await Promise.all(
    [SERVER, 'peer', 'stranger'].flatMap((name) => [
      addressOf(host, name).then((address) => [address, name] as const),
      address6Of(host, name).then((address) => [address, name] as const),
    ]),
  )
  return new Map([
    ...[host.address, host.address6].map((address) => [routerBeside(address), 'router'] as const),
    ...[host.address, host.address6, SECOND, SECOND6].map((address) => [address, 'host'] as const),
    ...stdout
      .trim()
      .split(' ')
      .map((address) => [address, 'gateway'] as const),
    ...containers,
  ])
}

/** The router's address on the host's link. */
export function routerBeside(address: string): string {
  return address.replace(/\d+$/, '1')
}

/** What the engine says when a container with these arguments shall run: "started", or its refusal. */
export async function tryToRun(host: LabHost, network: string, ...args: readonly string[]): Promise<string> {
  const run = ['run', '--rm', '--network', network, ...args, IMAGE, 'true']
  const { exitCode, stderr } = await host.docker(run, { reject: false })
  return exitCode === 0 ? 'started' : stderr
}
