/** What `npm run up` remembers for its next run and for `npm run down`. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'

const FILE = '/run/romana-up.json'

const UpState = v.object({
  /** `machine`: the Docker engine of this machine. `private`: one of the lab. */
  engine: v.picklist(['machine', 'private']),
  /** Whether the engine's host had no /var/lib/romana before. */
  madeJournal: v.boolean(),
  /** Whether the engine did not have the image before. */
  loadedImage: v.boolean(),
  /** The build of the plugin that is installed: milliseconds since 1970. */
  installedBuild: v.exactOptional(v.number()),
  /** The address plan that `up` gave the plugin, when it is not the default one. */
  plan: v.exactOptional(v.string()),
})
/** What is remembered. */
export type UpState = v.InferOutput<typeof UpState>

/** What the last run wrote; undefined when nothing is up. @throws ValiError when the file is not ours */
export function readUpState(): UpState | undefined {
  try {
    return v.parse(UpState, JSON.parse(readFileSync(FILE, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Replaces what is remembered. */
export function writeUpState(state: UpState): void {
  writeFileSync(FILE, JSON.stringify(state))
}

/** From now on nothing is up. */
export function removeUpState(): void {
  rmSync(FILE, { force: true })
}
