import { expect, test } from 'vitest'
import { type Romana, startRomana } from './romana-steps.ts'

function segmentRules({ kernel }: Romana): string {
  return kernel
    .show()
    .split('\n')
    .filter((line) => line.includes('-A ROMANA-SEGMENTS '))
    .map((line) => line.replace(/.*-A ROMANA-SEGMENTS /, ''))
    .join('\n')
}

const rule = (segment: string) => `-s ${segment}/255.0.255.0 -d ${segment}/255.0.255.0 -j ACCEPT`

test('by masks each segment has a rule from its first network to its last, and containers change nothing', async () => {
  const romana = await startRomana({ segmentMatch: 'masks' })
  const { engine, plans } = romana
  const web = await engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
  const other = await engine.createNetwork('n2', { tenant: 'blue', segment: 'web' })
  const db = await engine.createNetwork('n3', { tenant: 'blue', segment: 'db' })
  expect(segmentRules(romana)).toBe(`${rule('10.0.17.0')}\n${rule('10.0.18.0')}`)
  const before = plans.length
  await engine.run('e1', web)
  await engine.run('e2', db)
  expect(plans.length).toBe(before)
  await engine.removeNetwork(other)
  expect(segmentRules(romana)).toBe(`${rule('10.0.17.0')}\n${rule('10.0.18.0')}`)
})

test('a host that gets the match loses the chain, and the other way round', async () => {
  const before = await startRomana()
  await before.engine.createNetwork('n1', { tenant: 'blue', segment: 'web' })
  const shown = before.kernel.show()
  expect(segmentRules(await startRomana({ ...before, segmentMatch: 'masks' }))).toBe(rule('10.0.17.0'))
  const after = await startRomana(before)
  expect(after.kernel.show()).toBe(shown)
})
