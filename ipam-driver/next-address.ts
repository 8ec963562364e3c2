/**
 * Which address a container gets that asks for none: one that was never given out, in turn, and then the one that was given
 * back first. Who is given back later comes behind all that a look at the journal has found, so the next look is due when
 * nothing of that is left.
 */
import type { Ip } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import { journalKeys } from '../store/keys.ts'
import { AddressRecord, formatRecord, getRecord, listStored, type Stored } from '../store/records.ts'
import type { Change } from '../store/store.ts'
import { type AddressParts, type HeldAddress, isFree, removalOfForgotten, reserve } from './addresses.ts'
import { inTurn, type Span, sizeOf, spanOf } from './allocate.ts'
import { formatPoolId, type PoolId } from './pool-id.ts'
import { getPool } from './pools.ts'

/** What a look has found, less what was given out of it. */
interface Queue {
  /** Without a record. In a cell of 2^32 there is no end of them. */
  readonly unused: Iterator<Ip>
  /** Those that rest and those that wait for their endpoint, by age, the oldest first. */
  readonly waiting: Set<Stored<AddressRecord>>
}

/** False: it was taken since it was looked at. */
type Take = (address: Ip, held: HeldAddress, more?: readonly Change[]) => Promise<boolean>

/**
 * Takes the next free address of a pool's range. When all others are taken, one whose rest is not over, since a container
 * that starts is worth more than a rest; at last one that the engine has forgotten. Calls must take turns.
 * @throws RomanaError E_POOL_FULL, E_STORE, E_RECORD
 */
export function makeTakeNextAddress(parts: AddressParts): (id: PoolId) => Promise<Ip> {
  const queues = new Map<string, Queue>()
  return async (id) => {
    const { journal } = parts
    const span = spanOf(id.cell, id.range)
    if (span === undefined) throw fullError(id, 0n)
    const pool = await getPool(journal, id)
    const take: Take = (address, held, more = []) => {
      const value = formatRecord({ ...pool, lastGiven: address })
      return reserve(journal, address, held, [
        { kind: 'put', key: journalKeys.pool(id.cell), value },
        ...more,
      ])
    }
    const known = queues.get(formatPoolId(id))
    const next = known && (await takeFirst(parts, known, take))
    if (next !== undefined) return next
    const held = await listHeld(parts, id, span)
    const queue = queueOf(held, inTurn(span, pool.lastGiven))
    queues.set(formatPoolId(id), queue)
    const found = (await takeFirst(parts, queue, take)) ?? (await takeForgotten(parts, held, take))
    if (found === undefined) throw fullError(id, sizeOf(span))
    return found
  }
}

async function listHeld(
  { journal }: AddressParts,
  { cell }: PoolId,
  { first, last }: Span,
): Promise<Stored<AddressRecord>[]> {
  const { stored } = await listStored(journal, AddressRecord, journalKeys.addressesAround(cell))
  return stored.filter(
    ({ record: { address } }) =>
      address.family === first.family && address.value >= first.value && address.value <= last.value,
  )
}

function queueOf(held: readonly Stored<AddressRecord>[], turn: Iterator<Ip> & Iterable<Ip>): Queue {
  const known = new Set(held.map(({ record }) => record.address.value))
  const waiting = held.filter(({ record }) => record.state === 'resting' || record.state === 'reserved')
  return {
    unused: withoutThose(turn, known),
    waiting: new Set(waiting.sort((a, b) => a.revision - b.revision)),
  }
}

function* withoutThose(turn: Iterable<Ip>, known: ReadonlySet<bigint>): Generator<Ip> {
  for (const address of turn) if (!known.has(address.value)) yield address
}

/** All was as the queue says when the journal was looked at, and is looked up again one by one. */
async function takeFirst({ journal, age }: AddressParts, queue: Queue, take: Take): Promise<Ip | undefined> {
  const recordOf = (address: Ip) => getRecord(journal, AddressRecord, journalKeys.address(address))
  for (let next = queue.unused.next(); next.done !== true; next = queue.unused.next()) {
    const held = await recordOf(next.value)
    if (isFree(held, age) && (await take(next.value, held))) return next.value
  }
  for (const one of queue.waiting) {
    const { address, state } = one.record
    // Its endpoint has come, or may still come.
    if (state === 'reserved' && !age.isOld(one.revision)) continue
    const held = await recordOf(address)
    const isAsSeen = held === undefined || held.revision === one.revision
    queue.waiting.delete(one)
    if (isAsSeen && (await take(address, held))) return address
  }
  return undefined
}

async function takeForgotten(
  parts: AddressParts,
  held: readonly Stored<AddressRecord>[],
  take: Take,
): Promise<Ip | undefined> {
  for (const one of held) {
    const removal = await removalOfForgotten(parts, one)
    if (removal !== undefined && (await take(one.record.address, one, removal))) return one.record.address
  }
  return undefined
}

function fullError({ tenant, segment, range }: PoolId, size: bigint): RomanaError {
  return new RomanaError('E_POOL_FULL', {
    cannot: `give out an address of segment "${segment}" of tenant "${tenant}"`,
    because: `all ${size} endpoint addresses of ${range} are taken`,
    remedy: 'Remove containers, or use another segment',
  })
}
