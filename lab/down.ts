/** `npm run down`: removes what `npm run up` made, and nothing else. With nothing up it does nothing. */
import { rmSync } from 'node:fs'
import { IMAGE } from './image.ts'
import { runMain, step } from './steps.ts'
import { machineEngine, stopPrivateEngine, type UpEngine } from './up-engine.ts'
import { removeNetworks } from './up-networks.ts'
import { PLUGIN, removePlugin } from './up-plugin.ts'
import { readUpState, removeUpState, type UpState } from './up-state.ts'

async function main(): Promise<void> {
  const state = readUpState()
  if (state?.engine === 'machine') await cleanMachine(state)
  // A run of `up` that was cut may have started it without remembering.
  await step(stopPrivateEngine, () =>
    state?.engine === 'private' ? 'Docker engine, with all that ran on it' : undefined,
  )
  removeUpState()
  console.log(state === undefined ? 'Nothing was up' : 'All is removed')
}

async function cleanMachine(state: UpState): Promise<void> {
  const engine = await machineEngine()
  if (engine === undefined) {
    throw new Error(
      'Cannot remove what is up: the Docker engine of this machine does not answer. Start it, and run this again',
    )
  }
  await cleanEngine(engine, state)
}

async function cleanEngine({ docker, rootPath }: UpEngine, state: UpState): Promise<void> {
  await step(
    () => removeNetworks(docker),
    () => 'Containers and networks',
  )
  await step(
    () => removePlugin(docker),
    () => `Plugin ${PLUGIN}`,
  )
  if (state.loadedImage)
    await step(
      () => docker(['image', 'rm', IMAGE]),
      () => `Image ${IMAGE}`,
    )
  if (state.madeJournal) rmSync(rootPath('/var/lib/romana'), { recursive: true, force: true })
}

await runMain(main)
