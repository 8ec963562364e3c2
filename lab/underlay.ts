/** The network between the hosts of a lab: a router in a namespace of its own, and what it takes to be behind it. */
import { run } from './command.ts'
import { runInNetwork } from './host-namespaces.ts'

/** `layer2`: all hosts on one link. `layer3`: each host on a link of its own, the router between them. */
export type UnderlayKind = 'layer2' | 'layer3'

/** An address of the router that stands for the world outside. */
export const OUTSIDE = { address: '203.0.113.1', address6: '2001:db8:ffff::1' } as const

/** What holds for all links of an underlay. */
export interface UnderlayOptions {
  readonly kind: UnderlayKind
  /** Bytes, of every link. */
  readonly mtu: number
}

/** Where a host is on the underlay. Lengths: 24 and 64. */
export interface Attachment {
  readonly address: string
  readonly address6: string
  readonly linkLocal: string
  /** The router's addresses on the same link. */
  readonly gateway: string
  readonly gateway6: string
}

/** Where the host with this number, from 1 on, is. Ranges of RFC 2544 and RFC 3849: never inside an address plan. Pure. */
export function attachmentOf(kind: UnderlayKind, number: number): Attachment {
  const subnet = kind === 'layer2' ? 1 : number
  const host = 10 + number
  return {
    address: `198.18.${subnet}.${host}`,
    address6: `2001:db8:${subnet}::${host}`,
    linkLocal: `fe80::${host}`,
    gateway: `198.18.${subnet}.1`,
    gateway6: `2001:db8:${subnet}::1`,
  }
}

/** What the router needs before the first host, as `ip -batch` lines. Pure. */
export function routerLines({ kind, mtu }: UnderlayOptions): readonly string[] {
  const outside = [
    'link set lo up',
    `address add ${OUTSIDE.address}/32 dev lo`,
    `address add ${OUTSIDE.address6}/128 dev lo nodad`,
  ]
  if (kind === 'layer3') return outside
  return [
    ...outside,
    'link add lan type bridge',
    ...linkLines('lan', mtu),
    ...gatewayLines('lan', attachmentOf(kind, 1)),
  ]
}

/** What the router needs for one more host, whose link is there. Pure. */
export function routerPortLines(
  { kind, mtu }: UnderlayOptions,
  link: string,
  at: Attachment,
): readonly string[] {
  const up = linkLines(link, mtu)
  return kind === 'layer2' ? [`link set ${link} master lan`, ...up] : [...up, ...gatewayLines(link, at)]
}

/** What the host itself needs. Pure. */
export function hostLines({ mtu }: UnderlayOptions, at: Attachment): readonly string[] {
  return [
    'link set lo up',
    ...linkLines('eth0', mtu),
    `address add ${at.address}/24 dev eth0`,
    `address add ${at.address6}/64 dev eth0 nodad`,
    `address add ${at.linkLocal}/64 dev eth0 nodad`,
    `route add default via ${at.gateway} dev eth0`,
    `route add default via ${at.gateway6} dev eth0`,
  ]
}

function gatewayLines(link: string, { gateway, gateway6 }: Attachment): readonly string[] {
  return [
    `address add ${gateway}/24 dev ${link}`,
    `address add ${gateway6}/64 dev ${link} nodad`,
    `address add fe80::1/64 dev ${link} nodad`,
  ]
}

/** Without the link-local address that the kernel would make: until it is sure of that, 2 s, IPv6 is not forwarded. */
function linkLines(link: string, mtu: number): readonly string[] {
  return [`link set ${link} addrgenmode none`, `link set ${link} mtu ${mtu} up`]
}

/** Makes the router's namespace. @throws ExecaError */
export async function startRouter(router: string, options: UnderlayOptions): Promise<void> {
  await run('ip', ['netns', 'add', router])
  await ipBatch(router, routerLines(options))
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
  await runInNetwork(router, 'sysctl', ['--write', ...forwarding])
}

/** The link from the router to a host, as the router names it. */
export function routerLinkOf(host: string): string {
  return `to-${host}`
}

/** Makes a host's network namespace and ties it to the router. @throws ExecaError */
export async function attachHost(
  host: { readonly name: string; readonly netns: string; readonly router: string },
  options: UnderlayOptions,
  at: Attachment,
): Promise<void> {
  const link = routerLinkOf(host.name)
  await run('ip', ['netns', 'add', host.netns])
  // Both ends are made where they belong: the machine's own namespace never sees them.
  const peer = ['peer', 'name', 'eth0', 'netns', host.netns]
  await run('ip', ['link', 'add', link, 'netns', host.router, 'type', 'veth', ...peer])
  await ipBatch(host.router, routerPortLines(options, link, at))
  await ipBatch(host.netns, hostLines(options, at))
}

async function ipBatch(netns: string, lines: readonly string[]): Promise<void> {
  await run('ip', ['-netns', netns, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}
