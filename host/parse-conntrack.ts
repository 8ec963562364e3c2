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

/** Whether another one answers than was called (DNAT), or at another port. */
export function isTranslated({ destination, server, port, serverPort }: Flow): boolean {
  return !server.equals(destination) || port !== serverPort
}

/** One a line; lines without addresses are left out. There can be very many, between few addresses. */
export function parseConntrack(text: string): Flow[] {
  const addresses = new Map<string, Ip>()
  const addressOf = (word: string): Ip => {
    const address = addresses.get(word) ?? Ip.parse(word)
    addresses.set(word, address)
    return address
  }
  return text.split('\n').flatMap((line) => flowOf(line, addressOf) ?? [])
}

function flowOf(line: string, addressOf: (word: string) => Ip): Flow | undefined {
  const [name = '', number = '', ...words] = line.split(/ +/)
  // Those of who began come first, then those of the answers.
  const [sources, destinations] = [valuesOf(words, 'src='), valuesOf(words, 'dst=')]
  const [source, server] = sources
  const [destination] = destinations
  if (source === undefined || server === undefined || destination === undefined) return undefined
  const [port] = valuesOf(words, 'dport=')
  const serverPort = valuesOf(words, 'sport=')[1]
  const [icmpType] = valuesOf(words, 'type=')
  return {
    protocol: name === 'unknown' ? number : name,
    source: addressOf(source),
    destination: addressOf(destination),
    server: addressOf(server),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(serverPort === undefined ? {} : { serverPort: Number(serverPort) }),
    ...(icmpType === undefined ? {} : { icmpType: Number(icmpType) }),
  }
}

function valuesOf(words: readonly string[], name: string): string[] {
  return words.filter((word) => word.startsWith(name)).map((word) => word.slice(name.length))
}
