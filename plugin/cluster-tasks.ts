/** What a host of several does beside its drivers: it says that it lives, follows the others, and asks again when the store is back. */
import { followPeers } from '../cluster/peers.ts'
import { type ErrorCode, RomanaError, reasonOf } from '../errors.ts'
import type { EtcdStore } from '../store/etcd.ts'
import type { Session } from '../store/etcd-session.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'
import type { Directory } from './open-directory.ts'

export interface ClusterParts {
  readonly directory: SharedDirectory
  readonly journal: Store
  /** Lets the host be looked at: what it shall carry has changed, in words for the log. */
  readonly expect: (what: string) => void
  readonly log: Log
}

export type SharedDirectory = Directory & { readonly etcd: EtcdStore }

/** How this host and its cluster are. */
export interface ClusterStatus {
  /** Whether the store answers, and agrees with this host. */
  readonly isReached: boolean
  /** Why not. */
  readonly trouble?: string
}

export interface ClusterTasks {
  status(): ClusterStatus
  /** The host was looked at, regularly or since something on it has changed: its address on the underlay may have. */
  lookedAt(): void
  /** What keeps this host from giving anything out until the store says otherwise: it is a copy, or its number is another's. */
  refusal(): RomanaError | undefined
  /** Besides, what keeps it from writing to the store: it does not know yet whether it still is the host that it was. */
  doubt(): RomanaError | undefined
  close(): Promise<void>
}

/** How long others take this host for alive when it says no more, in milliseconds. */
const SESSION_MS = 9_000

/** Until these are settled nothing new may be given out. That the store is away is not among them. */
const REFUSALS: readonly ErrorCode[] = ['E_HOST_CLONE', 'E_CLUSTER', 'E_PLAN_CHANGED', 'E_NUMBER']

export function startClusterTasks(parts: ClusterParts): ClusterTasks {
  return new Tasks(parts)
}

class Tasks implements ClusterTasks {
  readonly #parts: ClusterParts
  readonly #ending = new AbortController()
  readonly #following: Promise<void>
  #session: Session | undefined
  #trouble: unknown
  #refusal: RomanaError | undefined
  #isReached = false
  #followingAddress: Promise<void> = Promise.resolve()
  #isVerified: boolean

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.#isVerified = parts.directory.membership.isVerified
    const { directory, journal, expect } = parts
    const { host, instanceId } = directory.membership
    this.#following = followPeers({
      directory: directory.store,
      journal,
      host,
      instanceId,
      signal: this.#ending.signal,
      onChange: () => expect('the hosts of the cluster'),
      onTrouble: (error) => this.#lose(error),
      onReach: () => this.#reach(),
    })
  }

  status(): ClusterStatus {
    const trouble = this.#isReached || this.#trouble === undefined ? {} : { trouble: reasonOf(this.#trouble) }
    return { isReached: this.#isReached, ...trouble }
  }

  lookedAt(): void {
    this.#followingAddress = this.#followingAddress.then(() => this.#followAddress())
  }

  refusal(): RomanaError | undefined {
    return this.#refusal
  }

  doubt(): RomanaError | undefined {
    if (this.#refusal !== undefined || this.#isVerified) return this.#refusal
    return new RomanaError('E_STORE_AWAY', {
      cannot: 'use the store of the cluster',
      because: 'it has not answered since the plugin has started, and this host must first be known to it',
      remedy: 'Containers start and stop all the same. Check etcd, and ROMANA_ETCD_ENDPOINTS',
    })
  }

  async close(): Promise<void> {
    this.#ending.abort()
    await this.#following
    await this.#followingAddress
    await this.#session?.close()
  }

  /** In this order: who is not the host that it takes itself for must not say that it lives. */
  async #reach(): Promise<void> {
    const { directory, log } = this.#parts
    await this.#rejoin()
    this.#session ??= this.#openSession()
    this.#isReached = true
    this.#trouble = undefined
    log.info({ host: directory.membership.host }, 'the store of the cluster answers')
  }

  async #rejoin(): Promise<void> {
    const { directory } = this.#parts
    try {
      const { host, isVerified } = await directory.join()
      if (host !== directory.membership.host) throw changedError(host)
      if (!isVerified) throw new Error('the store is away again')
      this.#refusal = undefined
      this.#isVerified = true
    } catch (error) {
      if (error instanceof RomanaError && REFUSALS.includes(error.code)) this.#refusal = error
      this.#isVerified = false
      throw error
    }
  }

  /** Where this host is unknown to the others, or the store is away, the next time that the store is reached does it. */
  async #followAddress(): Promise<void> {
    if (!this.#isReached || this.#ending.signal.aborted) return
    try {
      if (await this.#parts.directory.hasMoved()) await this.#rejoin()
    } catch (error) {
      this.#parts.log.warn({ err: error }, `the address of this host: ${reasonOf(error)}`)
    }
  }

  #openSession(): Session {
    const { etcd, membership } = this.#parts.directory
    const { host, instanceId } = membership
    const value = formatRecord({ host, instanceId, sessionId: crypto.randomUUID() })
    return etcd.openSession({ key: directoryKeys.session(host), value, ttlMs: SESSION_MS })
  }

  #lose(error: unknown): void {
    this.#isReached = false
    this.#trouble = error
    this.#parts.log.warn({ err: error }, `the cluster: ${reasonOf(error)}`)
  }
}

/** The journal was emptied under a running plugin, or the plan was changed. */
function changedError(host: number): RomanaError {
  return new RomanaError('E_CLUSTER', {
    cannot: 'go on as the host that this was when the plugin started',
    because: `the store has it as host ${host} now`,
    remedy: 'Disable the plugin and enable it',
  })
}
