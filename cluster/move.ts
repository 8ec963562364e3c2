/**
 * From a single host to several: what the host's own directory has is copied into the store that it shares from now on, and no
 * address changes. Each step can be repeated; other hosts wait while the plan says that somebody is moving.
 */
import { RomanaError } from '../errors.ts'
import { HostRecord } from '../store/host-records.ts'
import type { HostNumber, Name } from '../store/ids.ts'
import { directoryKeys, journalKeys } from '../store/keys.ts'
import {
  formatRecord,
  getRecord,
  listRecords,
  NumberRecord,
  PlanRecord,
  PoolRecord,
  SegmentRecord,
  type Stored,
  TenantRecord,
} from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { describeHost } from './claim-errors.ts'

export interface MoveParts {
  /** This host's own directory until now. */
  readonly from: Store
  /** The one that it shares from now on. */
  readonly to: Store
  readonly journal: Store
  /** What this host is in its own directory. */
  readonly host: HostNumber
  readonly instanceId: string
}

/** How many entries are written in one transaction. */
const BATCH = 100

/**
 * Copies the directory into an empty store. Into one that is in use nothing is copied: then what this host has must fit in, or
 * nothing is changed.
 * @throws RomanaError E_CLUSTER that says what disagrees; E_STORE_AWAY
 */
export async function moveDirectory(parts: MoveParts): Promise<void> {
  const { to, instanceId } = parts
  const plan = await getRecord(to, PlanRecord, directoryKeys.plan())
  if (plan === undefined) return beginMove(parts)
  if (plan.record.moving === instanceId) return copyAll(parts, plan)
  await checkFits(parts, plan.record)
}

async function beginMove(parts: MoveParts): Promise<void> {
  const { from, to, instanceId } = parts
  const own = await getRecord(from, PlanRecord, directoryKeys.plan())
  if (own === undefined) return
  const value = formatRecord({ ...own.record, moving: instanceId })
  await to.commit([{ kind: 'create', key: directoryKeys.plan(), value }])
  // Whoever was first: the next look says how to go on.
  await moveDirectory(parts)
}

async function copyAll({ from, to }: MoveParts, plan: Stored<PlanRecord>): Promise<void> {
  const { entries } = await from.list('/')
  const others = entries.filter(({ key }) => key !== directoryKeys.plan())
  for (let start = 0; start < others.length; start += BATCH) {
    const batch = others.slice(start, start + BATCH)
    await to.commit(batch.map(({ key, value }) => ({ kind: 'put', key, value })))
  }
  const { moving: _, ...record } = plan.record
  const change = { key: directoryKeys.plan(), value: formatRecord(record), revision: plan.revision }
  await to.commit([{ kind: 'swap', ...change }])
}

/** Its number must be free there, and the tenants and segments of its pools must have the same numbers or none. */
async function checkFits(
  { from, to, journal, host, instanceId }: MoveParts,
  plan: PlanRecord,
): Promise<void> {
  const own = await getRecord(from, PlanRecord, directoryKeys.plan())
  const pools = await listRecords(journal, PoolRecord, journalKeys.pools())
  // Where no network has IPv6 the host takes the IPv6 plan of the cluster.
  const hasIpv6 = pools.some(({ cell }) => cell.family === 6)
  const problems = (['ipv4', 'ipv6'] as const)
    .filter((family) => (family === 'ipv4' || hasIpv6) && own?.record[family] !== plan[family])
    .map((family) => `its plan is "${plan[family]}", not "${own?.record[family]}"`)
  const other = await getRecord(to, HostRecord, directoryKeys.host(host))
  if (other !== undefined && other.record.instanceId !== instanceId)
    problems.push(`host number ${host} is that of ${describeHost(other.record)}`)
  for (const pool of pools) problems.push(...(await problemsOfPool(from, to, pool)))
  if (problems.length === 0) return
  throw new RomanaError('E_CLUSTER', {
    cannot: 'bring the networks of this host into the cluster',
    because: `the store does not agree: ${[...new Set(problems)].join('; ')}`,
    remedy:
      'Remove its Romana networks (docker network rm), or begin with an empty store on this host and let the others join',
  })
}

async function problemsOfPool(from: Store, to: Store, { tenant, segment }: PoolRecord): Promise<string[]> {
  const tenantKey = directoryKeys.tenant(tenant)
  const [ownTenant, otherTenant] = await Promise.all(
    [from, to].map((store) => getRecord(store, TenantRecord, tenantKey)),
  )
  const segmentKey = directoryKeys.segment(tenant, segment)
  const [ownSegment, otherSegment] = await Promise.all(
    [from, to].map((store) => getRecord(store, SegmentRecord, segmentKey)),
  )
  return [
    ...differs(`tenant "${tenant}"`, ownTenant?.record.number, otherTenant?.record.number),
    ...differs(
      `segment "${segment}" of tenant "${tenant}"`,
      ownSegment?.record.number,
      otherSegment?.record.number,
    ),
    ...(otherTenant === undefined ? await problemsOfTenantNumber(to, ownTenant?.record) : []),
    ...(otherSegment === undefined ? await problemsOfSegmentNumber(to, ownSegment?.record) : []),
  ]
}

/** A number that another name has there would put this host's containers among strangers. */
async function problemsOfTenantNumber(to: Store, own: TenantRecord | undefined): Promise<string[]> {
  if (own === undefined) return []
  const { name, number } = own
  const there = await getRecord(to, NumberRecord, directoryKeys.tenantNumber(number))
  return othersNumber(`tenant number ${number}`, name, there?.record)
}

async function problemsOfSegmentNumber(to: Store, own: SegmentRecord | undefined): Promise<string[]> {
  if (own === undefined) return []
  const { tenant, name, number } = own
  const there = await getRecord(to, NumberRecord, directoryKeys.segmentNumber(tenant, number))
  return othersNumber(`segment number ${number} of tenant "${tenant}"`, name, there?.record)
}

function othersNumber(what: string, own: Name, there: NumberRecord | undefined): string[] {
  if (there === undefined || there.resting || there.name === own) return []
  return [`${what} is that of "${there.name}" there and of "${own}" here`]
}

function differs(what: string, own: number | undefined, other: number | undefined): string[] {
  if (own === undefined || other === undefined || own === other) return []
  return [`${what} has number ${other} there and ${own} here`]
}
