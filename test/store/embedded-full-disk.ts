/**
 * A program for a mount namespace of its own: puts a small file system on the directory at its argument, fills it by
 * commits, makes space, and says what it sees.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../errors.ts'
import { openEmbeddedStore } from '../../store/embedded.ts'
import type { Store } from '../../store/store.ts'

const directory = process.argv[2] ?? ''
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory])
const ballast = join(directory, 'ballast')
writeFileSync(ballast, Buffer.alloc(200_000))
const path = join(directory, 'store.db')

let store = await openEmbeddedStore(path)
const written = await fill(store, 0)
await say('full')
console.log((await commitOne(store, written)) === undefined ? 'committed again' : 'still full')
await store.close()
store = await openEmbeddedStore(path)
await say('opened again')
rmSync(ballast)
console.log((await commitOne(store, written)) ?? 'committed again')
await say('with space')
await store.close()

async function fill(store: Store, number: number): Promise<number> {
  const reason = await commitOne(store, number)
  if (reason === undefined) return fill(store, number + 1)
  console.log(reason)
  return number
}

async function commitOne(store: Store, number: number): Promise<string | undefined> {
  try {
    await store.commit([{ kind: 'create', key: `/n/${number}`, value: 'x'.repeat(1000) }])
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

async function say(when: string): Promise<void> {
  const { revision, entries } = await store.list('/n/')
  const last = await store.get(`/n/${entries.length - 1}`)
  const sound = revision === entries.length && last?.revision === revision
  console.log(
    `${when}: ${sound ? 'sound' : 'broken'}, ${entries.length - written} more than were committed before it was full`,
  )
}
