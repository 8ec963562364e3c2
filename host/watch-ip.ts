/**
 * What `ip -o monitor link address route rule netconf` tells, sorted into what others may have done to ours and the rest.
 * What starting and stopping a container brings about is the rest. Pure.
 */
import { parseHostLink } from './link-names.ts'
import { POLICY_RULE_PRIORITY, ROUTE_PROTOCOL, ROUTE_TABLE } from './marks.ts'

/** Something that calls for a look at the host, in words for the log. */
export interface Suspicion {
  readonly what: string
  /** Unfounded when this link goes: its addresses and routes go with it. */
  readonly link?: string | undefined
}

/** One line of the program, if it means something here. */
export type IpEvent =
  | { readonly kind: 'suspicion'; readonly suspicion: Suspicion }
  | { readonly kind: 'gone'; readonly link: string }

/** The program and its arguments. */
export const IP_MONITOR = {
  file: 'ip',
  args: ['-o', 'monitor', 'link', 'address', 'route', 'rule', 'netconf'],
} as const

/** Kinds of lines, the first that matches counts. Undefined: it does not concern us. */
const READERS: readonly ((line: string) => IpEvent | undefined)[] = [
  readLink,
  readAddress,
  readOwnTable,
  readOther,
]

export function readIpEvent(line: string): IpEvent | undefined {
  for (const read of READERS) {
    const event = read(line)
    if (event !== undefined) return event
  }
  return undefined
}

function suspicion(line: string, link?: string): IpEvent {
  const what = line.replaceAll(/[\s\\]+/g, ' ').trim()
  return { kind: 'suspicion', suspicion: { what, link } }
}

/** "5: rmne1@if4: <BROADCAST,MULTICAST> mtu 1500 …". "@if…" says that the other end is in a container. */
function readLink(line: string): IpEvent | undefined {
  const [, deleted, link = '', peer = '', flags = ''] =
    /^(Deleted )?\d+: ([^\s@:]+)(?:@(\S+))?: <([^>]*)>/.exec(line) ?? []
  if (parseHostLink(link) === undefined) return undefined
  if (deleted !== undefined) return { kind: 'gone', link }
  const isDown = peer.startsWith('if') && !flags.split(',').includes('UP')
  return isDown ? suspicion(`the link ${link} is down`, link) : undefined
}

/** "Deleted 5: rmne1    inet 10.1.17.1/32 scope global rmne1\…". */
function readAddress(line: string): IpEvent | undefined {
  const [, link = ''] = /^Deleted \d+: (\S+) +inet6? /.exec(line) ?? []
  return parseHostLink(link) === undefined ? undefined : suspicion(line, link)
}

/** "Deleted 10.1.17.2 dev rmne1 table 8200 proto 82 scope link". What we add ourselves is known by its marks. */
function readOwnTable(line: string): IpEvent | undefined {
  if (!` ${line} `.includes(` table ${ROUTE_TABLE} `)) return undefined
  const [, dev] = / dev (\S+)/.exec(line) ?? []
  const link = dev !== undefined && parseHostLink(dev) !== undefined ? dev : undefined
  const isOwnAddition =
    ` ${line} `.includes(` proto ${ROUTE_PROTOCOL} `) &&
    (/^(blackhole|unreachable) /.test(line) ||
      (!line.startsWith('Deleted ') && (link !== undefined || / via \S+ dev /.test(line))))
  return isOwnAddition ? undefined : suspicion(line, link)
}

const OTHERS: readonly RegExp[] = [
  // The policy rule. It can be deleted only, or doubled, which does no harm.
  new RegExp(`^Deleted ${POLICY_RULE_PRIORITY}:`),
  // Which links lead outside may have changed. A route of another table names it.
  /^(Deleted )?default (?!.* table )/,
  // A link to other hosts has come or gone, or its network has: which of them are neighbours may have changed.
  /^(Deleted )?[\d.]+\/\d+ dev (?!rmn|br-|docker)\S+ proto kernel scope link /,
  // For all links.
  /^inet6? all forwarding off\b/,
  // iproute2, lib/libnetlink.c: "netlink receive error No buffer space available (105)".
  /^netlink receive error/,
]

function readOther(line: string): IpEvent | undefined {
  return OTHERS.some((pattern) => pattern.test(line)) ? suspicion(line) : undefined
}
