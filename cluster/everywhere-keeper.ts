/**
 * Makes the marked segments networks of this host's engine, and removes them when the mark goes. In the background only: the
 * engine waits for the driver whenever it makes or removes a network.
 */
import { reasonOf } from '../errors.ts'
import { directoryKeys } from '../store/keys.ts'
import type { EverywhereRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { type EngineNetwork, planEverywhere } from './everywhere.ts'
import { listMarks } from './everywhere-marks.ts'
import { startRepeating } from './repeat.ts'
import { watchKeys } from './watch-keys.ts'

/** What is asked of the engine. All throw RomanaError E_ENGINE. */
export interface EngineNetworks {
  networks(): Promise<readonly EngineNetwork[]>
  createNetwork(mark: EverywhereRecord): Promise<void>
  /** "in use": containers are attached, and nothing was changed. Well when it is gone already. */
  removeNetwork(id: string): Promise<'removed' | 'in use'>
}

export interface EverywhereParts {
  readonly directory: Store
  readonly engine: EngineNetworks
  /** What was done, and what cannot be done: once, in words for the log. */
  readonly onNews: (text: string) => void
  /** The first failure in a row; it is tried again. */
  readonly onFailure: (error: unknown) => void
}

/** Milliseconds. A network that is in use is tried again with each regular look. */
const TIMES = { gatherMs: 100, distanceMs: 500, regularMs: 5_000, retryMs: 2_000 }

export function keepEverywhere(parts: EverywhereParts, times = TIMES): { close(): Promise<void> } {
  const told = new Set<string>()
  const repeating = startRepeating({
    ...times,
    task: () => lookOnce(parts, told),
    onFailure: parts.onFailure,
  })
  const soon = () => repeating.soon()
  const watch = watchKeys(parts.directory, directoryKeys.allEverywhere(), { onEvent: soon, onGap: soon })
  return {
    async close() {
      await watch.close()
      await repeating.close()
    },
  }
}

/** @param told what is the case still, so that it is told once. */
async function lookOnce(parts: EverywhereParts, told: Set<string>): Promise<void> {
  const { directory, engine, onNews } = parts
  const { create, remove, clashes } = planEverywhere(await listMarks(directory), await engine.networks())
  const lasting = clashes.map(
    ({ network }) => `network "${network}" is not made everywhere: this host has another one of the name`,
  )
  const failures: unknown[] = []
  const attempt = (task: Promise<void>) => task.catch((error: unknown) => failures.push(error))
  for (const network of remove) {
    await attempt(removeOne(network, engine, onNews, (text) => lasting.push(text)))
  }
  for (const mark of create) await attempt(createOne(mark, engine, onNews))
  for (const text of lasting.filter((each) => !told.has(each))) onNews(text)
  told.clear()
  for (const text of lasting) told.add(text)
  if (failures.length > 0) throw new Error(failures.map(reasonOf).join('; '), { cause: failures[0] })
}

async function createOne(
  mark: EverywhereRecord,
  engine: EngineNetworks,
  onNews: EverywhereParts['onNews'],
): Promise<void> {
  await engine.createNetwork(mark)
  onNews(`network "${mark.network}" made: its segment is everywhere`)
}

async function removeOne(
  { id, name }: EngineNetwork,
  engine: EngineNetworks,
  onNews: EverywhereParts['onNews'],
  onLasting: (text: string) => void,
): Promise<void> {
  if ((await engine.removeNetwork(id)) === 'removed') {
    onNews(`network "${name}" removed: its segment is not everywhere any more`)
  } else
    onLasting(
      `network "${name}" stays as long as containers are on it, though its segment is not everywhere any more`,
    )
}
