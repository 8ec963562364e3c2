/** The words that the sentences about clusters are made of: machines, their journals, and one directory in memory. */
import { type AddressPlan, formatPlan, parsePlan } from '../../address/address-plan.ts'
import { Ip } from '../../address/ip.ts'
import { HOST_REST_MS } from '../../cluster/host-claim.ts'
import type { Machine } from '../../cluster/machine.ts'
import { joinCluster, type Membership } from '../../cluster/membership.ts'
import { HostRecord } from '../../store/host-records.ts'
import type { HostNumber } from '../../store/ids.ts'
import { directoryKeys } from '../../store/keys.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { formatRecord, listRecords } from '../../store/records.ts'
import { makeRevisionAge } from '../../store/revision-age.ts'
import type { Store } from '../../store/store.ts'

/** A clock that a test moves. */
export const clock = { ms: 0 }

/** One machine with its disk. */
export interface MachineUnderTest {
  readonly machine: Machine
  readonly journal: Store
}

/** The machine of this name at an address that follows from it. */
export function machineOf(name: string, more: Partial<Machine> = {}): MachineUnderTest {
  const digit = String(name.charCodeAt(0) % 100).padStart(2, '0')
  return {
    machine: {
      machineId: `id-${name}`,
      name,
      productUuid: `uuid-${name}`,
      linkAddresses: [`02:42:00:00:00:${digit}`],
      underlay: { address: Ip.parse(`198.18.1.${Number(digit)}`), linkAddress: `02:42:00:00:00:${digit}` },
      ...more,
    },
    journal: openMemoryStore(),
  }
}

export interface JoinWish {
  readonly plan?: string
  readonly isShared?: boolean
  readonly checkPlan?: (plan: AddressPlan) => void
}

const ages = new Map<Store, ReturnType<typeof makeRevisionAge>>()

/** Starts the plugin of a machine. */
export function join(
  directory: Store,
  { machine, journal }: MachineUnderTest,
  { plan, isShared = true, checkPlan = () => undefined }: JoinWish = {},
): Promise<Membership> {
  const age = ages.get(journal) ?? makeRevisionAge(HOST_REST_MS, () => clock.ms)
  ages.set(journal, age)
  const wish = { plan: plan === undefined ? undefined : parsePlan(plan), plan6: undefined }
  return joinCluster({ directory, journal, isShared, machine, wish, checkPlan, age, globalId: 1n })
}

/** The plugin of a host says that it runs. */
export async function keepAlive(directory: Store, { host, instanceId }: Membership): Promise<void> {
  const value = formatRecord({ host, instanceId, sessionId: 's' })
  await directory.commit([{ kind: 'put', key: directoryKeys.session(host), value }])
}

/** It says so no more. */
export async function endSession(directory: Store, host: HostNumber): Promise<void> {
  await directory.commit([{ kind: 'remove', key: directoryKeys.session(host) }])
}

/** "1 a 198.18.1.97, 2 b 198.18.1.98 removed" */
export async function hostsOf(directory: Store): Promise<string> {
  const hosts = await listRecords(directory, HostRecord, directoryKeys.hosts())
  return hosts
    .sort((a, b) => a.number - b.number)
    .map(({ number, name, underlay, removed }) =>
      [number, name, underlay?.address, ...(removed ? ['removed'] : [])].join(' '),
    )
    .join(', ')
}

/** What a host was told: "host 1 of 10.0.0.0/8 8/4/4/8". */
export function textOf({ host, plans, isVerified }: Membership): string {
  return `host ${host} of ${formatPlan(plans.ipv4)}${isVerified ? '' : ', says its journal'}`
}

/** A network keeps a host to its number. */
export async function makeNetwork({ journal }: MachineUnderTest): Promise<void> {
  await journal.commit([{ kind: 'put', key: '/networks/n1', value: '{}' }])
}
