/** Containers made and removed through the Engine API, as `docker run --detach` and `docker rm --force` do it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { IMAGE } from '../lab/image.ts'

/** Milliseconds. */
export interface Times {
  /** Create and start. */
  readonly run: number
  /** Kill and remove. */
  readonly remove: number
}

/** So long the kernel may clean up behind a container, unmeasured: namespaces go after the answer. */
const PAUSE_MS = 150

/** One container on a network, from nothing to nothing. */
export async function timeContainer(engine: Dockerode, network: string): Promise<Times> {
  const startedMs = performance.now()
  const container = await engine.createContainer({
    Image: IMAGE,
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode: network },
  })
  await container.start()
  const run = performance.now() - startedMs
  await sleep(PAUSE_MS)
  const removedMs = performance.now()
  await container.remove({ force: true })
  const remove = performance.now() - removedMs
  await sleep(PAUSE_MS)
  return { run, remove }
}
