/** An engine for one action: when it dies in it, it does nothing more. */
import { type CallPlugin, DockerEngine, type Sandboxes } from '../contract/docker-engine.ts'
import { EngineDied } from './faulty-plugin.ts'

export interface EngineEvents {
  /** The container's link is back in the host's namespace. */
  readonly onLeave?: () => void
  readonly onDeath?: () => void
}

/** @param sandboxes of the present kernel: a reboot makes a new one. */
export function mortalEngine(call: CallPlugin, sandboxes: () => Sandboxes, on: EngineEvents): DockerEngine {
  let isDead = false
  const callWhileAlive: CallPlugin = async (method, body) => {
    if (isDead) throw new EngineDied()
    try {
      return await call(method, body)
    } catch (error) {
      isDead = error instanceof EngineDied
      if (isDead) on.onDeath?.()
      throw error
    }
  }
  return new DockerEngine(callWhileAlive, {
    enterContainer: (link) => sandboxes().enterContainer(link),
    leaveContainer(link) {
      if (isDead) return
      sandboxes().leaveContainer(link)
      on.onLeave?.()
    },
  })
}
