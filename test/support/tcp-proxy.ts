/** A way to a server on this machine that can fail as networks do: silently, in one direction, or late. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * `lose answers`: what the server says is lost. `lose all`: what either says is lost, and nobody is told. `delay requests`:
 * what the client says is kept for {@link TcpProxy.deliver}.
 */
export type Fault = 'lose answers' | 'lose all' | 'delay requests'

/** A client that waits for an answer says nothing more; what it says behind this, in milliseconds, is that it waits no longer. */
const REQUEST_MS = 500

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** From now on, for the connections that are there and for new ones. */
  fail(fault: Fault): void
  /** Gives the server what was delayed, and waits for its answer, which is lost. */
  deliver(): Promise<void>
  /** Ends connections on which something was lost, and passes everything on new ones. */
  heal(): void
  /** Ends all connections at once; new ones pass. */
  cut(): void
}

/** @param port of the server, on the loopback. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const proxy = new FaultyWay(port)
  await proxy.listen()
  return proxy
}

interface Connection {
  readonly client: Socket
  readonly server: Socket
  isBroken: boolean
  readonly delayed: Buffer[]
}

class FaultyWay implements TcpProxy {
  readonly #listener: Server
  readonly #connections = new Set<Connection>()
  #fault: Fault | undefined
  #firstDelayedMs: number | undefined

  constructor(port: number) {
    this.#listener = createServer((client) => this.#accept(client, connect(port, '127.0.0.1')))
  }

  async listen(): Promise<void> {
    this.#listener.listen(0, '127.0.0.1')
    await once(this.#listener, 'listening')
  }

  get port(): number {
    const address = this.#listener.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  fail(fault: Fault): void {
    this.#fault = fault
  }

  async deliver(): Promise<void> {
    const waiting = [...this.#connections].filter(({ delayed }) => delayed.length > 0)
    if (waiting.length === 0) throw new Error('Nothing was delayed')
    await Promise.all(
      waiting.map(async ({ server, delayed }) => {
        const answered = once(server, 'data')
        server.write(Buffer.concat(delayed.splice(0)))
        await answered
      }),
    )
  }

  heal(): void {
    this.#fault = undefined
    this.#firstDelayedMs = undefined
    for (const connection of this.#connections) if (connection.isBroken) end(connection)
  }

  cut(): void {
    for (const connection of this.#connections) end(connection)
  }

  async [Symbol.asyncDispose]() {
    this.cut()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #accept(client: Socket, server: Socket): void {
    const connection: Connection = { client, server, isBroken: false, delayed: [] }
    this.#connections.add(connection)
    client.on('data', (bytes) => this.#request(connection, bytes))
    server.on('data', (bytes) => this.#answer(connection, bytes))
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#onClose(connection, other))
    }
  }

  /** While a fault lasts neither side is told that the other has gone. */
  #onClose(connection: Connection, other: Socket): void {
    if (this.#fault === undefined) other.destroy()
    else connection.isBroken = true
    if (connection.client.destroyed && connection.server.destroyed) this.#connections.delete(connection)
  }

  #request(connection: Connection, bytes: Buffer): void {
    const fault = this.#fault
    if (fault === undefined || fault === 'lose answers') {
      connection.server.write(bytes)
      return
    }
    connection.isBroken = true
    if (fault === 'delay requests' && this.#isRequest()) connection.delayed.push(bytes)
  }

  #isRequest(): boolean {
    this.#firstDelayedMs ??= performance.now()
    return performance.now() - this.#firstDelayedMs < REQUEST_MS
  }

  #answer(connection: Connection, bytes: Buffer): void {
    if (this.#fault === undefined) connection.client.write(bytes)
    else connection.isBroken = true
  }
}

function end({ client, server }: Connection): void {
  client.destroy()
  server.destroy()
}
