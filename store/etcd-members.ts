/**
 * The members of an etcd, each behind a client of its own, so that who is asked and how long is decided here and not by the
 * client: it would repeat a transaction whose answer was lost, and report a conflict with itself.
 */
import { noop } from 'cockatiel'
import { Etcd3, type IOptions } from 'etcd3'
import { etcdError, isAway } from './etcd-errors.ts'

/** How to get at an etcd. */
export interface EtcdOptions {
  /** URLs of members: "https://192.0.2.10:2379". All with TLS, or none. */
  readonly endpoints: readonly string[]
  /** Before every key: "/romana". Clusters of Romana that share an etcd differ in it. */
  readonly prefix: string
  /** PEM. Without a CA that of the system is trusted. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer }
  readonly credentials?: { readonly username: string; readonly password: string }
  /** How long one member may take to answer, in milliseconds. */
  readonly timeoutMs?: number
}

/** Longer than an election, which takes one to two seconds. */
const TIMEOUT_MS = 1_500
/** So many members may leave a call without an answer: enough that one of three which is cut off is passed over. */
const ATTEMPTS = 3
/** Before another member is asked than one that refused at once, in milliseconds: they are not asked three times in a moment. */
const PAUSE_MS = 200

/**
 * A connection on which nothing comes back is noticed after the sum of both. etcd ends the connection of a client that asks
 * more often than every 5 s (--grpc-keepalive-min-time).
 */
const KEEPALIVE = {
  'grpc.keepalive_time_ms': 6_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.keepalive_permit_without_calls': 1,
  // Listings are as long as they are.
  'grpc.max_receive_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
}

/** One call to one member. The client's own deadline is the one given here. */
export type Ask<T> = (client: Etcd3) => Promise<T>

export class EtcdMembers {
  /** How messages call the store. */
  readonly name: string
  readonly #options: EtcdOptions
  readonly #clients: readonly Etcd3[]
  #preferred = 0

  constructor(options: EtcdOptions) {
    this.#options = options
    this.name = `the store at ${options.endpoints.join(', ')}`
    this.#clients = options.endpoints.map((endpoint) => new Etcd3(clientOptions(options, endpoint)))
  }

  /**
   * Asks one member after the other until one answers, beginning with the one that answered last. For what may be asked twice.
   * @param cannot what follows "Cannot" in the message.
   * @throws RomanaError E_STORE_AWAY, E_STORE_DENIED, E_STORE
   */
  async ask<T>(cannot: string, ask: Ask<T>): Promise<T> {
    // A member that refuses at once, since it is down, costs those none of their time that elect a leader meanwhile.
    let [silent, refused] = [0, 0]
    for (;;) {
      const startedMs = performance.now()
      try {
        return await ask(this.#client())
      } catch (error) {
        const isRefusal = performance.now() - startedMs < PAUSE_MS
        ;[silent, refused] = isRefusal ? [silent, refused + 1] : [silent + 1, 0]
        const isOver = silent >= ATTEMPTS || refused >= Math.max(ATTEMPTS, this.#clients.length)
        if (!isAway(error) || isOver) throw etcdError(cannot, this.name, error)
        this.passOver()
        if (isRefusal) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    }
  }

  /** Asks the preferred member, once. What it throws is the client's own error. */
  askOnce<T>(ask: Ask<T>): Promise<T> {
    return ask(this.#client())
  }

  /** The preferred member has not answered: the next one is asked from now on. */
  passOver(): void {
    this.#preferred = (this.#preferred + 1) % this.#clients.length
  }

  /** A client of its own to the preferred member: for a stream that ends with its client. */
  openClient(): Etcd3 {
    const endpoint = this.#options.endpoints[this.#preferred] ?? ''
    return new Etcd3(clientOptions(this.#options, endpoint))
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  #client(): Etcd3 {
    const client = this.#clients[this.#preferred]
    if (client === undefined) throw new Error('An etcd has one endpoint or more')
    return client
  }
}

function clientOptions(
  { tls, credentials, timeoutMs = TIMEOUT_MS }: EtcdOptions,
  endpoint: string,
): IOptions {
  const callOptions = () => ({ deadline: Date.now() + timeoutMs })
  return {
    hosts: endpoint,
    grpcOptions: KEEPALIVE,
    // Nothing is repeated, and no member is left out for a while, behind our back.
    faultHandling: { global: noop, host: () => noop },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : callOptions()),
    ...(credentials && { auth: { ...credentials, callOptions } }),
    ...(tls?.ca && { credentials: tlsCredentials(tls.ca, tls) }),
  }
}

function tlsCredentials(rootCertificate: Buffer, { cert, key }: NonNullable<EtcdOptions['tls']>) {
  return { rootCertificate, ...(cert && key && { certChain: cert, privateKey: key }) }
}
