import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { openEmbeddedStore } from '../../store/embedded.ts'
import type { Store } from '../../store/store.ts'
import { testHistoryBound, testStore } from '../contract/store.ts'
import { never, put, take, textOfList, writeMany } from '../contract/store-steps.ts'

const directory = mkdtempSync(join(tmpdir(), 'romana-store-'))
afterAll(() => rmSync(directory, { recursive: true }))

let paths = 0
const newPath = () => join(directory, `state-${++paths}`, 'store.db')
const pathOf = new WeakMap<Store, string>()

async function open(path = newPath()): Promise<Store> {
  const store = await openEmbeddedStore(path)
  pathOf.set(store, path)
  return store
}

async function reopen(store: Store): Promise<Store> {
  await store.close()
  return open(pathOf.get(store))
}

testStore({ name: 'embedded', open: () => open(), reopen })
testHistoryBound((keptRevisions) => openEmbeddedStore(newPath(), keptRevisions))

describe('the file of an embedded store', () => {
  it('and its directories can be read by their owner only', async () => {
    const path = join(directory, 'outer', 'inner', 'store.db')
    const store = await open(path)
    await writeMany(store, 1)
    const modes = ['outer', 'outer/inner', 'outer/inner/store.db', 'outer/inner/store.db-wal'].map((name) =>
      (statSync(join(directory, name)).mode & 0o777).toString(8),
    )
    expect(modes.join(' ')).toBe('700 700 600 600')
    await store.close()
  })

  it('cannot be opened twice, and is free again after a close', async () => {
    const path = newPath()
    const store = await open(path)
    await expect(open(path)).rejects.toThrow(
      `Cannot open the store "${path}": another plugin, or another program, has it open. ` +
        'Stop the other one, or give this plugin a state directory of its own (E_STORE)',
    )
    await writeMany(store, 1)
    await store.close()
    await (await open(path)).close()
  })

  it('cannot be opened while another process has it open', async () => {
    const path = newPath()
    const { child, firstCommit } = startCommitter(path)
    await firstCommit
    await expect(open(path)).rejects.toThrow('another plugin, or another program, has it open')
    await kill(child)
    await (await open(path)).close()
  })

  it('that a newer version wrote is refused', async () => {
    const path = newPath()
    await (await open(path)).close()
    changeFile(path, 'PRAGMA user_version = 2')
    await expect(open(path)).rejects.toThrow(
      `Cannot open the store "${path}": a newer version of Romana wrote it: its schema is 2, this version knows 1. ` +
        'Install that version again (E_STORE)',
    )
  })

  it.each([
    ['no database', () => Buffer.alloc(5000, 'not a database ')],
    ['cut off', (file: Buffer) => file.subarray(0, file.length / 2)],
    ['overwritten in the middle', (file: Buffer) => Buffer.from(file).fill(0xaa, 4096, 8192)],
  ])('that is damaged (%s) is refused', async (_how, damage) => {
    const path = newPath()
    const store = await open(path)
    await writeMany(store, 200)
    await store.close()
    writeFileSync(path, damage(readFileSync(path)))
    await expect(open(path)).rejects.toThrow(
      `Cannot open the store "${path}": the file is damaged, or it is no store of Romana. ` +
        'Restore it from a backup, or move it and its "-wal" file away to begin with an empty one (E_STORE)',
    )
  })

  it('that lacks its tables is refused', async () => {
    const path = newPath()
    await (await open(path)).close()
    changeFile(path, 'DELETE FROM counter')
    await expect(open(path)).rejects.toThrow('the file is damaged, or it is no store of Romana')
    changeFile(path, 'DROP TABLE counter')
    await expect(open(path)).rejects.toThrow('the file is damaged, or it is no store of Romana')
  })

  it('that cannot be opened is named, with what to do', async () => {
    await expect(open(directory)).rejects.toThrow(
      `Cannot open the store "${directory}": the file or its directory cannot be opened for writing. ` +
        'Make them writable for the plugin (owner root, file system not read-only) (E_STORE)',
    )
  })
})

it('a commit that fails halfway leaves nothing behind', async () => {
  const path = newPath()
  await (await open(path)).close()
  changeFile(
    path,
    "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.key = '/b' BEGIN SELECT RAISE(FAIL, 'no /b'); END",
  )
  const store = await open(path)
  const half = store.commit(['/a', '/b'].map((key) => ({ kind: 'put', key, value: 'x' })))
  await expect(half).rejects.toThrow(`Cannot write to the store "${path}": no /b (19)`)
  expect(await store.list('')).toEqual({ revision: 0, entries: [] })
  await put(store, '/c', 'x')
  expect(await textOfList(store, '')).toBe('/c=x')
  await store.close()
})

it.skipIf(!canMount())(
  'a full disk fails commits, hinders no reading, and is over when there is space',
  () => {
    const mountPoint = mkdtempSync(join(directory, 'full-'))
    const program = fileURLToPath(new URL('embedded-full-disk.ts', import.meta.url))
    const output = execFileSync('unshare', ['-rm', process.execPath, program, mountPoint], {
      encoding: 'utf8',
    })
    expect(output).toBe(
      `Cannot write to the store "${mountPoint}/store.db": the disk is full. Free space on its file system; ` +
        `nothing was changed, and the plugin goes on once there is space (E_STORE)
full: sound, 0 more than were committed before it was full
still full
opened again: sound, 0 more than were committed before it was full
committed again
with space: sound, 1 more than were committed before it was full
`,
    )
  },
)

it('no acknowledged commit is lost, whenever the process is killed', { timeout: 60_000 }, async () => {
  const path = newPath()
  let committed = 0
  for (let round = 0; round < 20; round++) {
    const { child, firstCommit, said } = startCommitter(path)
    // Every other time the program may still be opening the file.
    if (round % 2 === 0) await firstCommit
    await sleep(Math.random() * (round % 2 === 0 ? 20 : 120))
    await kill(child)
    const acknowledged = Number(said.at(-1) ?? committed)
    committed = await checkCommitted(path, acknowledged)
  }
  expect(committed).toBeGreaterThan(20)
})

/** How many transactions the file has: the acknowledged ones, and at most one that nobody was told of. */
async function checkCommitted(path: string, acknowledged: number): Promise<number> {
  const store = await open(path)
  const { revision, entries } = await store.list('/n/')
  expect([acknowledged, acknowledged + 1]).toContain(revision)
  expect(entries).toHaveLength(revision)
  expect((await store.get('/last'))?.value ?? '0').toBe(`${revision}`)
  const events = await take(store.watch('/last', 0, never), revision)
  expect(events.map((event) => event.revision)).toEqual(
    Array.from({ length: revision }, (_, index) => index + 1),
  )
  await store.close()
  return revision
}

function startCommitter(path: string) {
  const program = fileURLToPath(new URL('embedded-committer.ts', import.meta.url))
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: string[] = []
  child.stdout.setEncoding('utf8').on('data', (lines: string) => said.push(...lines.trimEnd().split('\n')))
  return { child, said, firstCommit: once(child.stdout, 'data') }
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

function changeFile(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

/** Whether a mount namespace can be made here: not in every container. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
