/** The ports of a host without sockets: who has them, as text. */
import { RomanaError } from '../../errors.ts'
import { formatHostPort, type HostPort, type PortSockets } from '../../network-driver/port-sockets.ts'

export interface FakeSockets extends PortSockets {
  /** Another program takes a port, such as "tcp 0.0.0.0:80". */
  take(port: string): void
  /** Another program gives it back. */
  giveBack(port: string): void
  /** Reserved ports with their targets, one a line, sorted. */
  show(): string
}

export function makeFakeSockets(): FakeSockets {
  const reserved = new Map<string, { readonly port: HostPort; readonly target: string }>()
  const foreign = new Set<string>()
  return {
    async reserve(port, target) {
      await undefined
      const name = formatHostPort(port)
      if (reserved.has(name) || foreign.has(name))
        throw new RomanaError('E_PORT_TAKEN', { cannot: `publish ${name}`, because: 'it is taken' })
      reserved.set(name, { port, target: `${target.address}:${target.port}` })
    },
    async release(port) {
      await undefined
      reserved.delete(formatHostPort(port))
    },
    reserved: () => [...reserved.values()].map(({ port }) => port),
    take: (port) => foreign.add(port),
    giveBack: (port) => foreign.delete(port),
    show: () =>
      [...reserved]
        .map(([name, { target }]) => `${name} -> ${target}`)
        .sort()
        .join('\n'),
  }
}
