/** Makers of frames that pretend to be somebody else's. Pure. */
import {
  echoRequest,
  type Fragment,
  fragmentationNeeded,
  frame,
  type IpAddresses,
  ipv4,
  ipv6,
  type LinkAddresses,
  packetTooBig,
  udp,
} from '../support/frames.ts'
import { neighbourMessage, routerAdvertisement } from '../support/neighbour-frames.ts'

export type Sender = 'container' | 'bridge container' | 'outsider'

export interface Spoof {
  readonly what: string
  readonly by: Sender
  /** The frame with this number. @param dscp its mark. */
  readonly make: (link: LinkAddresses, index: number, dscp: number) => Buffer
}

/** Of UDP flows between web 2 and web 1, over IPv6 too, and one between host 2 and host 1. */
export const FLOW_PORTS = { two: 4_000, one: 7_000 } as const
/** What forged errors say, in bytes: over IPv6 no link takes less. */
const FORGED_MTU = 600
const FORGED_MTU6 = 1280

const DISCARD_PORT = 9
const FRAGMENT_BYTES = 64

/** A datagram from a port that changes, with a source that is not the sender's. */
export function datagram(
  what: string,
  by: Sender,
  source: string,
  destination: string,
  port = DISCARD_PORT,
): Spoof {
  const addresses = { source, destination }
  return {
    what,
    by,
    make(link, index, dscp) {
      const payload = udp(addresses, [1024 + index, port], 'spoofed')
      return destination.includes(':')
        ? frame(link, 'ipv6', ipv6(addresses, 'udp', payload, { dscp }))
        : frame(link, 'ipv4', ipv4(addresses, 'udp', payload, { dscp, id: index }))
    },
  }
}

/** What a host answers to everybody. */
export function ping(what: string, by: Sender, source: string, destination: string): Spoof {
  return {
    what,
    by,
    make: (link, index, dscp) =>
      frame(link, 'ipv4', ipv4({ source, destination }, 'icmp', echoRequest(index), { dscp, id: index })),
  }
}

/** Two pieces of a datagram in turn. */
export function fragments(what: string, by: Sender, addresses: IpAddresses): Spoof {
  return {
    what,
    by,
    make(link, index, dscp) {
      const id = index >> 1
      const isLast = index % 2 === 1
      const fragment: Fragment = { offset: isLast ? FRAGMENT_BYTES : 0, isLast }
      const whole = udp(addresses, [1024 + id, DISCARD_PORT], 'spoofed '.repeat(FRAGMENT_BYTES / 4 - 1))
      const part = whole.subarray(fragment.offset, isLast ? undefined : FRAGMENT_BYTES)
      return addresses.destination.includes(':')
        ? frame(link, 'ipv6', ipv6(addresses, 'udp', part, { dscp, id, fragment }))
        : frame(link, 'ipv4', ipv4(addresses, 'udp', part, { dscp, id, fragment }))
    },
  }
}

/** An ICMP error with the sender's own address, about a packet that it has never seen. */
export function forgedError(what: string, by: Sender, source: string, about: IpAddresses): Spoof {
  const inner = ipv4(about, 'udp', udp(about, [FLOW_PORTS.one, FLOW_PORTS.two], 'long'), { dscp: 0 })
  const message = fragmentationNeeded(FORGED_MTU, inner)
  const addresses = { source, destination: about.source }
  return {
    what,
    by,
    make: (link, index, dscp) => frame(link, 'ipv4', ipv4(addresses, 'icmp', message, { dscp, id: index })),
  }
}

/** To all on the link. */
/** The same over IPv6. */
export function forgedError6(what: string, by: Sender, source: string, about: IpAddresses): Spoof {
  const inner = ipv6(about, 'udp', udp(about, [FLOW_PORTS.one, FLOW_PORTS.two], 'long'), { dscp: 0 })
  const addresses = { source, destination: about.source }
  const message = packetTooBig(addresses, FORGED_MTU6, inner)
  return {
    what: `over IPv6, ${what}`,
    by,
    make: (link, _index, dscp) => frame(link, 'ipv6', ipv6(addresses, 'icmp6', message, { dscp })),
  }
}

export function advertisement(what: string, by: Sender): Spoof {
  const addresses = { source: 'fe80::bad', destination: 'ff02::1' }
  const message = routerAdvertisement(addresses, '2001:db8:bad::')
  const to = '33:33:00:00:00:01'
  return {
    what,
    by,
    make: ({ from }, _index, dscp) =>
      frame({ from, to }, 'ipv6', ipv6(addresses, 'icmp6', message, { dscp, hopLimit: 255 })),
  }
}

/** Of who has an address. */
export function neighbour(
  what: string,
  kind: Parameters<typeof neighbourMessage>[1],
  addresses: IpAddresses,
  ip: string,
): Spoof {
  return {
    what,
    by: 'container',
    make(link, _index, dscp) {
      const message = neighbourMessage(addresses, kind, { mac: link.from, ip })
      return frame(link, 'ipv6', ipv6(addresses, 'icmp6', message, { dscp, hopLimit: 255 }))
    },
  }
}
