/** What the directory says of tenants and segments, in words, and what must be true of it at any quiet moment. */
import { expect } from 'vitest'
import {
  listRecords,
  NumberRecord,
  PoolRecord,
  SegmentHostRecord,
  SegmentRecord,
  TenantRecord,
} from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import type { Ipam } from './ipam-steps.ts'

/** "1 web, 2 db resting", in order of numbers. @param prefix "/tenant-numbers/" or "/segment-numbers/TENANT/" */
export async function numbersOf(directory: Store, prefix: string): Promise<string> {
  const records = await listRecords(directory, NumberRecord, prefix)
  return records
    .sort((a, b) => a.number - b.number)
    .map(({ number, name, resting }) => `${number} ${name}${resting ? ' resting' : ''}`)
    .join(', ')
}

/** "blue/web=1.1 blue/db=1.2", in order of names. */
export async function segmentsOf(directory: Store): Promise<string> {
  const records = await listRecords(directory, SegmentRecord, '/segments/')
  return records
    .map(({ tenant, name, tenantNumber, number }) => `${tenant}/${name}=${tenantNumber}.${number}`)
    .join(' ')
}

/** "blue/web@1 blue/web@2": the hosts that have a pool in a segment. */
export async function holdsOf(directory: Store): Promise<string> {
  const holds = await listRecords(directory, SegmentHostRecord, '/segment-hosts/')
  return holds.map(({ tenant, segment, host }) => `${tenant}/${segment}@${host}`).join(' ')
}

/** Every name has its number and every number that does not rest its name, and hosts hold just what they have pools of. */
export async function expectSound(directory: Store, hosts: readonly Ipam[]): Promise<void> {
  await expectPairs(directory)
  const pools = await Promise.all(hosts.map(poolsOf))
  const held = (await holdsOf(directory)).split(' ').filter((text) => text !== '')
  expect(held).toEqual(pools.flat().toSorted())
  const segments = await listRecords(directory, SegmentRecord, '/segments/')
  const names = segments.map(({ tenant, name }) => `${tenant}/${name}`)
  const used = held.map((text) => text.replace(/@.*/, ''))
  expect(names).toEqual(expect.arrayContaining(used))
  expect(used).toEqual(expect.arrayContaining(names.filter((name) => name.includes('/auto-'))))
}

async function expectPairs(directory: Store): Promise<void> {
  const segments = await listRecords(directory, SegmentRecord, '/segments/')
  const tenants = await listRecords(directory, TenantRecord, '/tenants/')
  const wanted = [
    ...tenants.map(({ name, number }) => `/tenant-numbers/${number} ${name}`),
    ...segments.map(({ tenant, name, number }) => `/segment-numbers/${tenant}/${number} ${name}`),
  ]
  expect((await takenNumbers(directory)).toSorted()).toEqual(wanted.toSorted())
  for (const { tenant, tenantNumber } of segments) {
    expect(tenants).toContainEqual({ name: tenant, number: tenantNumber })
  }
}

async function takenNumbers(directory: Store): Promise<string[]> {
  const { entries } = await directory.list('/')
  return entries
    .filter(({ key }) => /^\/(tenant|segment)-numbers\//.test(key))
    .map(({ key, value }) => ({ key, ...JSON.parse(value) }))
    .filter(({ resting }) => !resting)
    .map(({ key, name }) => `${key} ${name}`)
}

async function poolsOf({ driver, journal }: Ipam): Promise<string[]> {
  const pools = await listRecords(journal, PoolRecord, '/pools/')
  return pools.map(({ tenant, segment }) => `${tenant}/${segment}@${driver.segments.host}`)
}

/** The store as somebody sees it who is overtaken: `task` comes between what he has read and what he writes then. */
export function overtaken(store: Store, task: () => Promise<unknown>): Store {
  let isDone = false
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    async commit(changes) {
      if (!isDone) {
        isDone = true
        await task()
      }
      return store.commit(changes)
    },
    watch: (prefix, after, signal) => store.watch(prefix, after, signal),
    close: () => store.close(),
  }
}
