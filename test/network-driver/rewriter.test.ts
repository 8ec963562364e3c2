import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeRewriter } from '../../network-driver/rewriter.ts'

it('what was recorded before a call has been written when it is answered, in few writings', async () => {
  const property = fc.asyncProperty(fc.scheduler(), fc.nat(20), async (scheduler, count) => {
    let recorded = 0
    let written = 0
    let writings = 0
    const rewrite = makeRewriter(async () => {
      writings += 1
      const reading = recorded
      await scheduler.schedule(Promise.resolve())
      written = reading
    })
    const tasks = Array.from({ length: count }, async () => {
      await scheduler.schedule(Promise.resolve())
      recorded += 1
      const mine = recorded
      await rewrite()
      expect(written).toBeGreaterThanOrEqual(mine)
    })
    await scheduler.waitFor(Promise.all(tasks))
    expect(writings).toBeLessThanOrEqual(count)
  })
  await fc.assert(property)
})

it('a writing that fails is told to those whom it served, and the next one goes on', async () => {
  let fails = true
  const rewrite = makeRewriter(() => (fails ? Promise.reject(new Error('locked')) : Promise.resolve()))
  await expect(Promise.all([rewrite(), rewrite()])).rejects.toThrow('locked')
  fails = false
  await rewrite()
})
