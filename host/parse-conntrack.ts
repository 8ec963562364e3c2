/** What `conntrack -L` prints, as typed values. Pure. */
import { Ip } from '../address/ip.ts'

/** A flow that the kernel keeps in mind, in the direction of who began it. */
export interface Flow {
  /** Its name, or its number where the program knows no name. */
  readonly protocol: string
  readonly source: Ip
  /** Where the first packet was sent. */
  readonly destination: Ip
  /** Who answers: another one than the destination where that was translated. */
  readonly server: Ip
  /** Of the destination, and of the server; absent where the protocol has no ports. */
  readonly port?: number
  readonly serverPort?: number
  readonly icmpType?: number
}

/** One a line; lines without addresses are left out. */
export function parseConntrack(text: string): Flow[] {
  return text.split('\n').flatMap((line) => {
    const [, name, number] = /^(\S+)\s+(\d+) /.exec(line) ?? []
    const protocol = name === 'unknown' ? number : name
    const [source, server] = valuesOf(line, 'src')
    const [destination] = valuesOf(line, 'dst')
    if (protocol === undefined || source === undefined || server === undefined || destination === undefined)
      return []
    const [port] = valuesOf(line, 'dport')
    const serverPort = valuesOf(line, 'sport')[1]
    const [icmpType] = valuesOf(line, 'type')
    return [
      {
        protocol,
        source: Ip.parse(source),
        destination: Ip.parse(destination),
        server: Ip.parse(server),
        ...(port === undefined ? {} : { port: Number(port) }),
        ...(serverPort === undefined ? {} : { serverPort: Number(serverPort) }),
        ...(icmpType === undefined ? {} : { icmpType: Number(icmpType) }),
      },
    ]
  })
}

/** That of the direction of who began, then that of the answers. */
function valuesOf(line: string, name: string): string[] {
  return [...line.matchAll(new RegExp(` ${name}=(\\S+)`, 'g'))].flatMap(([, value]) => value ?? [])
}
