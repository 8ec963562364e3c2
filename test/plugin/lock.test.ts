import type { Server } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { takeLock } from '../../plugin/lock.ts'

/** Another run of the tests may hold it for a moment. */
function takeWhenFree(): Promise<Server> {
  return vi.waitFor(takeLock, { timeout: 4_000, interval: 20 })
}

it('the lock of a network namespace is held by one, and is free after the first has ended', async () => {
  const first = await takeWhenFree()
  onTestFinished(() => void first.close())
  await expect(takeLock()).rejects.toThrow(
    /^Cannot work in this network namespace: another Romana plugin does \(.*EADDRINUSE.*\)\. Disable one of the two \(E_LOCKED\)$/,
  )
  await new Promise((resolve) => first.close(resolve))
  const second = await takeWhenFree()
  await new Promise((resolve) => second.close(resolve))
})
