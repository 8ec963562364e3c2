/** The address plan of the cluster in the directory: every address in use follows from it. */
import { type AddressPlan, DEFAULT_PLAN, formatPlan, type Plans, parsePlan } from '../address/address-plan.ts'
import { goTogether, localIpv6Plan, pairPlans } from '../address/ipv6-plan.ts'
import { RomanaError } from '../errors.ts'
import { HostRecord } from '../store/host-records.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord, getRecord, listRecords, PlanRecord, type Stored } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** The plans that the settings ask for. */
export interface PlanWish {
  readonly plan: AddressPlan | undefined
  readonly plan6: AddressPlan | undefined
}

export interface PlanParts {
  readonly directory: Store
  readonly wish: PlanWish
  /** Judges a plan that is not in use. @throws RomanaError */
  readonly check: (plan: AddressPlan) => void
  /** Of this machine: other hosts keep the plan from changing. */
  readonly machineId: string
  readonly instanceId: string
  /** 40 random bits, for an IPv6 plan of the cluster's own. */
  readonly globalId: bigint
  /** What the addresses of this host's networks follow from; absent where it has none. */
  readonly inUse?: PlanRecord
}

/**
 * The plan as recorded. As long as no tenant has a number and no other host is there the settings may change it; where they say
 * nothing the recorded plan stays, and without one the default is taken. An IPv6 plan can come later: until then nobody has an
 * IPv6 address.
 * @throws RomanaError E_PLAN_CHANGED when a setting differs from a plan in use, E_CLUSTER while another host moves its directory,
 * or has another plan than this host's networks, E_STORE, and what `check` throws.
 */
export async function ensurePlan(parts: PlanParts): Promise<Stored<PlanRecord>> {
  const { directory, wish, instanceId } = parts
  const key = directoryKeys.plan()
  const recorded = await getRecord(directory, PlanRecord, key)
  if (recorded?.record.moving !== undefined && recorded.record.moving !== instanceId) throw movingError()
  if (parts.inUse !== undefined) checkPlanWish(wish, parts.inUse)
  if (parts.inUse !== undefined && recorded !== undefined) checkOwnPlan(parts.inUse, recorded.record)
  const isFixed = recorded !== undefined && (await isInUse(parts))
  if (isFixed) checkPlanWish(wish, recorded.record)
  if (isFixed && recorded.record.ipv6 !== undefined) return recorded
  const record = isFixed
    ? { ...recorded.record, ipv6: ipv6Plan(parts, parsePlan(recorded.record.ipv4), parts.inUse?.ipv6) }
    : bothPlans(parts, parts.inUse ?? recorded?.record)
  const value = formatRecord(record)
  const result = await directory.commit([
    recorded === undefined
      ? { kind: 'create', key, value }
      : { kind: 'swap', key, value, revision: recorded.revision },
  ])
  return result.committed ? { record, revision: result.revision } : ensurePlan(parts)
}

function bothPlans(parts: PlanParts, recorded: PlanRecord | undefined): PlanRecord {
  const ipv4 = parts.wish.plan ?? parsePlan(recorded?.ipv4 ?? DEFAULT_PLAN)
  if (parts.inUse === undefined) parts.check(ipv4)
  return { ipv4: formatPlan(ipv4), ipv6: ipv6Plan(parts, ipv4, recorded?.ipv6) }
}

/** That of the setting; else the recorded one, as long as it goes with the IPv4 plan; else one of the cluster's own. */
function ipv6Plan({ wish, check, globalId }: PlanParts, ipv4: AddressPlan, recorded?: string): string {
  if (wish.plan6 !== undefined) {
    pairPlans(ipv4, wish.plan6)
    check(wish.plan6)
    return formatPlan(wish.plan6)
  }
  const present = recorded === undefined ? undefined : parsePlan(recorded)
  const isGood = present !== undefined && goTogether(ipv4, present)
  return formatPlan(isGood ? present : localIpv6Plan(ipv4, globalId))
}

async function isInUse({ directory, machineId }: PlanParts): Promise<boolean> {
  const { entries: tenants } = await directory.list(directoryKeys.tenants())
  const hosts = await listRecords(directory, HostRecord, directoryKeys.hosts())
  return tenants.length > 0 || hosts.some((host) => host.machineId !== machineId && !host.removed)
}

/** @throws RomanaError E_CLUSTER */
function checkOwnPlan(inUse: PlanRecord, recorded: PlanRecord): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const [own, other] = [inUse[family], recorded[family]]
    if (own === undefined || other === undefined || own === other) continue
    throw new RomanaError('E_CLUSTER', {
      cannot: 'join the cluster',
      because: `its plan is "${other}", and this host has networks with addresses of "${own}"`,
      remedy:
        'Check ROMANA_ETCD_ENDPOINTS and ROMANA_ETCD_PREFIX, or remove its Romana networks (docker network rm)',
    })
  }
}

/** A plan that is not recorded yet is not changed. @throws RomanaError E_PLAN_CHANGED */
export function checkPlanWish({ plan, plan6 }: PlanWish, record: PlanRecord): PlanRecord {
  const wanted = { ROMANA_PLAN: plan, ROMANA_PLAN6: plan6 }
  const is = { ROMANA_PLAN: record.ipv4, ROMANA_PLAN6: record.ipv6 }
  for (const name of ['ROMANA_PLAN', 'ROMANA_PLAN6'] as const) {
    const setting = wanted[name]
    const recorded = is[name]
    if (setting !== undefined && recorded !== undefined && formatPlan(setting) !== recorded) {
      throw new RomanaError('E_PLAN_CHANGED', {
        cannot: `use the setting ${name}="${formatPlan(setting)}"`,
        because: `the recorded plan is "${recorded}", and addresses in use follow from it`,
        remedy: `Set ${name}="${recorded}". Another plan needs an empty state directory: its tenants keep their numbers`,
      })
    }
  }
  return record
}

export function plansOf({ ipv4, ipv6 }: PlanRecord): Plans {
  return { ipv4: parsePlan(ipv4), ...(ipv6 === undefined ? {} : { ipv6: parsePlan(ipv6) }) }
}

function movingError(): RomanaError {
  return new RomanaError('E_CLUSTER', {
    cannot: 'join the cluster',
    because: 'another host is moving its own directory into the store, and has not done yet',
    remedy:
      'It is tried again until then. Should that host never come back, remove its key "/plan" from the store',
  })
}
