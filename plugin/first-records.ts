/** What a cluster and a host must have in the directory before anything else: the plan, and this host's number. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import * as v from 'valibot'
import {
  type AddressPlan,
  DEFAULT_PLAN,
  firstNumber,
  formatPlan,
  lastNumber,
  type Plans,
  parsePlan,
} from '../address/address-plan.ts'
import { RomanaError } from '../errors.ts'
import { HostRecord } from '../store/host-records.ts'
import { type HostNumber, HostNumberSchema } from '../store/ids.ts'
import { directoryKeys } from '../store/keys.ts'
import { formatRecord, getRecord, listRecords, PlanRecord } from '../store/records.ts'
import { create, type Store } from '../store/store.ts'

/** The plans that the settings ask for. */
export interface PlanWish {
  readonly plan: AddressPlan | undefined
  readonly plan6: AddressPlan | undefined
}

/**
 * The plan that addresses in use follow from. As long as no tenant has a number the settings may change it; where they
 * say nothing the recorded plan stays, and without one the default is taken. `check` judges a plan that is not in use.
 * @throws RomanaError E_PLAN_CHANGED when a setting differs from a plan in use, E_STORE, and what `check` throws.
 */
export async function ensurePlan(
  directory: Store,
  wish: PlanWish,
  check: (plan: AddressPlan) => void,
): Promise<Plans> {
  const key = directoryKeys.plan()
  const recorded = await getRecord(directory, PlanRecord, key)
  const { entries: tenants } = await directory.list(directoryKeys.tenants())
  if (recorded !== undefined && tenants.length > 0) return checkUnchanged(wish, recorded.record)
  const plan = wish.plan ?? parsePlan(recorded?.record.ipv4 ?? DEFAULT_PLAN)
  check(plan)
  const ipv6 = wish.plan6 === undefined ? recorded?.record.ipv6 : formatPlan(wish.plan6)
  const record: PlanRecord = { ipv4: formatPlan(plan), ...(ipv6 === undefined ? {} : { ipv6 }) }
  const value = formatRecord(record)
  const { committed } = await directory.commit([
    recorded === undefined
      ? { kind: 'create', key, value }
      : { kind: 'swap', key, value, revision: recorded.revision },
  ])
  return committed ? plansOf(record) : ensurePlan(directory, wish, check)
}

function checkUnchanged({ plan, plan6 }: PlanWish, record: PlanRecord): Plans {
  const wanted = { ROMANA_PLAN: plan, ROMANA_PLAN6: plan6 }
  const is = { ROMANA_PLAN: record.ipv4, ROMANA_PLAN6: record.ipv6 }
  for (const name of ['ROMANA_PLAN', 'ROMANA_PLAN6'] as const) {
    const setting = wanted[name]
    if (setting !== undefined && formatPlan(setting) !== is[name]) {
      throw new RomanaError('E_PLAN_CHANGED', {
        cannot: `use the setting ${name}="${formatPlan(setting)}"`,
        because: `the recorded plan is "${is[name] ?? 'none'}", and addresses in use follow from it`,
        remedy: `Set ${name}="${is[name] ?? ''}". Another plan needs an empty state directory: its tenants keep their numbers`,
      })
    }
  }
  return plansOf(record)
}

function plansOf({ ipv4, ipv6 }: PlanRecord): Plans {
  return { ipv4: parsePlan(ipv4), ...(ipv6 === undefined ? {} : { ipv6: parsePlan(ipv6) }) }
}

/** The number that this machine has; a new machine gets the lowest free one. @throws RomanaError E_NUMBER, E_STORE */
export async function ensureHost(
  directory: Store,
  plan: AddressPlan,
  machineId: string,
): Promise<HostNumber> {
  const hosts = await listRecords(directory, HostRecord, directoryKeys.hosts())
  // A plan that nobody used may have been changed for one in which the number has no place.
  const known = hosts.find((host) => host.machineId === machineId && hasHost(plan, host.number))
  if (known !== undefined) return known.number
  const number = lowestFreeHost(plan, new Set(hosts.map((host) => BigInt(host.number))))
  const record: HostRecord = {
    number,
    machineId,
    name: hostname(),
    instanceId: '',
    linkAddresses: [],
    removed: false,
  }
  const isOurs = await create(directory, directoryKeys.host(number), formatRecord(record))
  return isOurs ? number : ensureHost(directory, plan, machineId)
}

function hasHost(plan: AddressPlan, number: HostNumber): boolean {
  return number >= firstNumber(plan, 'host') && number <= lastNumber(plan, 'host')
}

function lowestFreeHost(plan: AddressPlan, taken: ReadonlySet<bigint>): HostNumber {
  const last = lastNumber(plan, 'host')
  for (let number = firstNumber(plan, 'host'); number <= last; number += 1n) {
    if (!taken.has(number)) return v.parse(HostNumberSchema, Number(number))
  }
  throw new RomanaError('E_NUMBER', {
    cannot: 'give this host a number',
    because: `all ${taken.size} host numbers of the plan ${plan.cidr} are taken`,
    remedy: 'Remove a host, or use a plan with more host bits',
  })
}

/** A machine without an id is told by its host name: on a single host there is nobody to be taken for. */
export async function readMachineId(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() === '' ? `hostname:${hostname()}` : text.trim()
}
