/** The store over three members of an etcd, which die one after the other. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RomanaError } from '../../errors.ts'
import type { EtcdMember } from '../../lab/etcd-member.ts'
import { waitUntil } from '../../lab/wait-until.ts'
import { type EtcdStore, openEtcdStore } from '../../store/etcd.ts'
import { put, textOfList } from '../contract/store-steps.ts'
import { startEtcdMembers } from '../support/etcd-members.ts'

/** So many transactions are to be reported while members die. */
const ENOUGH = 20

const opened = new AsyncDisposableStack()
let members: EtcdMember[]
let prefixes = 0

beforeAll(async () => {
  members = await startEtcdMembers(opened)
}, 90_000)
afterAll(() => opened.disposeAsync())

function open(): EtcdStore {
  const endpoints = members.map(({ endpoint }) => endpoint)
  const store = openEtcdStore({ endpoints, prefix: `/members-${++prefixes}`, owner: 'h1' })
  return opened.adopt(store, (each) => each.close())
}

it('goes on with another member when the one that was asked is killed', async () => {
  const store = open()
  await put(store, '/a', '1')
  const [first] = members
  await first?.kill()
  expect(await store.commit([{ kind: 'create', key: '/b', value: '2' }])).toMatchObject({ committed: true })
  expect(await textOfList(store, '')).toBe('/a=1 /b=2')
  await first?.restart()
}, 120_000)

it('keeps every transaction that it has reported, and reports no false conflict, while members die', async () => {
  const store = open()
  const reported: string[] = []
  const dying = killInTurn(() => reported.length > ENOUGH)
  let isDying = true
  const end = dying.finally(() => (isDying = false))
  for (let number = 0; isDying; number += 1) {
    const key = `/n/${String(number).padStart(6, '0')}`
    if (await creates(store, key)) reported.push(key)
  }
  await end
  const { entries } = await waitUntil({ what: 'the store', timeoutMs: 20_000 }, () =>
    store.list('/n/').catch(() => undefined),
  )
  const kept = new Set(entries.map(({ key }) => key))
  expect(reported.filter((key) => !kept.has(key))).toEqual([])
}, 180_000)

/** False: the store was away, and nobody knows. A key that nobody else writes has no conflict. */
async function creates(store: EtcdStore, key: string): Promise<boolean> {
  try {
    expect(await store.commit([{ kind: 'create', key, value: 'x' }])).toMatchObject({ committed: true })
    return true
  } catch (error) {
    if (error instanceof RomanaError && error.code === 'E_STORE_AWAY') return false
    throw error
  }
}

/** All, and on until it is enough. */
async function killInTurn(isEnough: () => boolean): Promise<void> {
  do {
    for (const member of members) {
      await member.kill()
      await member.restart()
    }
  } while (!isEnough())
}
