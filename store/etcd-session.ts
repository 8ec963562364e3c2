/** A key that is there as long as this process runs and reaches etcd: it says how a host is, and never whose something is. */
import { keyBytes } from './etcd-keys.ts'
import type { EtcdMembers } from './etcd-members.ts'

export interface SessionWish {
  readonly key: string
  readonly value: string
  /** How long the key outlives the process, in milliseconds; whole seconds. */
  readonly ttlMs: number
}

export interface Session {
  /** Takes the key away, if etcd can be reached. */
  close(): Promise<void>
}

/**
 * The lease is renewed three times in its life. When it is lost, or a renewal fails, the next round takes a new lease and
 * writes the key again; an old one that still lives then has no key any more.
 */
export function keepSession(members: EtcdMembers, prefix: string, wish: SessionWish): Session {
  const { key, value, ttlMs } = wish
  let lease: string | undefined
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  let round = beat()

  async function beat(): Promise<void> {
    try {
      lease = lease === undefined || !(await renew(members, lease, ttlMs)) ? await begin() : lease
    } catch {
      // etcd is away, or refuses; whoever reads and writes the store says so.
      lease = undefined
    }
    if (!isClosed) timer = setTimeout(() => (round = beat()), ttlMs / 3)
  }
  async function begin(): Promise<string> {
    const granted = await members.ask('tell that this host is alive to', ({ leaseClient }) =>
      leaseClient.leaseGrant({ TTL: String(ttlMs / 1_000) }),
    )
    const put = { key: keyBytes(prefix, key), value: Buffer.from(value), lease: granted.ID }
    await members.ask('tell that this host is alive to', ({ kv }) => kv.put(put))
    return granted.ID
  }
  return {
    async close() {
      isClosed = true
      clearTimeout(timer)
      await round
      if (lease === undefined) return
      await members
        .askOnce(({ leaseClient }) => leaseClient.leaseRevoke({ ID: lease ?? '' }))
        .catch(() => undefined)
    },
  }
}

/** False: the lease has run out. */
async function renew(members: EtcdMembers, lease: string, timeoutMs: number): Promise<boolean> {
  const client = members.openClient()
  try {
    const stream = await client.leaseClient.leaseKeepAlive()
    return await new Promise<boolean>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      stream.on('data', ({ TTL }) => {
        clearTimeout(timer)
        resolve(Number(TTL) > 0)
        stream.cancel()
      })
      stream.on('error', reject)
      stream.write({ ID: lease })
    })
  } finally {
    client.close()
  }
}
