import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reasonOf } from '../../errors.ts'
import { formatRoute } from '../../host/plan-host.ts'
import type { FakeKernel } from '../support/fake-kernel.ts'
import { bringTo, makeLivedInKernel } from './lived-in-kernel.ts'
import { kernelOf, randomHost, wantedStateOf } from './random-host.ts'

const RUNS = { numRuns: 500 }

/** Lines of the kernel that carry no mark of ours. */
function foreignLines(kernel: FakeKernel): string {
  const marks = /ROMANA-|\brm[np][ei]?\d|8200 (priority 8200 )?protocol 82$|^net\./
  return linesOf(kernel)
    .filter((line) => !marks.test(line))
    .join('\n')
}

function linesOf(kernel: FakeKernel): string[] {
  return kernel.show().split('\n')
}

/** Pairs with an end in a container, and the routes to them. */
function liveLines(kernel: FakeKernel): string[] {
  const lines = linesOf(kernel)
  const live = lines.filter((line) => line.includes(' peer elsewhere '))
  const names = live.map((line) => ` dev ${line.split(' ')[1]} `)
  const routes = lines.filter(
    (line) => line.startsWith('route ') && names.some((name) => line.includes(name)),
  )
  return [...live, ...routes]
}

describe('whatever is recorded and whatever the kernel carries', () => {
  test('the second plan is empty', async () => {
    await fc.assert(
      fc.asyncProperty(randomHost, async (host) => {
        const kernel = await kernelOf(host)
        await bringTo(wantedStateOf(host), kernel)
        expect(await bringTo(wantedStateOf(host), kernel)).toBe('')
      }),
      RUNS,
    )
  })

  test('it is also empty behind a plan that failed half-way, and a whole one', async () => {
    const failure = fc.record({
      program: fc.constantFrom('ip', 'iptables-restore'),
      after: fc.integer({ min: 0, max: 4 }),
    })
    let failures = 0
    await fc.assert(
      fc.asyncProperty(randomHost, failure, async (host, { program, after }) => {
        const kernel = await kernelOf(host)
        kernel.failNext(program, after)
        const first = await bringTo(wantedStateOf(host), kernel).catch(reasonOf)
        failures += first.includes('(E_COMMAND)') ? 1 : 0
        await bringTo(wantedStateOf(host), kernel).catch(reasonOf)
        await bringTo(wantedStateOf(host), kernel)
        expect(await bringTo(wantedStateOf(host), kernel)).toBe('')
      }),
      RUNS,
    )
    expect(failures).toBeGreaterThan(20)
  })

  test('what others have is not changed', async () => {
    const untouched = foreignLines(makeLivedInKernel())
    await fc.assert(
      fc.asyncProperty(randomHost, async (host) => {
        const kernel = await kernelOf(host)
        await bringTo(wantedStateOf(host), kernel)
        expect(foreignLines(kernel)).toBe(untouched)
      }),
      RUNS,
    )
  })

  test('no pair with an end in a container goes, nor a route to one', async () => {
    let live = 0
    await fc.assert(
      fc.asyncProperty(randomHost, async (host) => {
        const kernel = await kernelOf(host)
        const before = liveLines(kernel)
        live += before.length
        await bringTo(wantedStateOf(host), kernel)
        const after = new Set(linesOf(kernel))
        expect(before.filter((line) => !after.has(line))).toEqual([])
      }),
      RUNS,
    )
    expect(live).toBeGreaterThan(20)
  })

  test('each recorded endpoint whose link is there has its route, unless a container has the address', async () => {
    let routes = 0
    await fc.assert(
      fc.asyncProperty(randomHost, async (host) => {
        const kernel = await kernelOf(host)
        const wanted = wantedStateOf(host)
        const held = liveLines(kernel)
        await bringTo(wanted, kernel)
        const lines = linesOf(kernel)
        for (const route of wanted.routes) {
          const isHeld = held.some((line) => line.startsWith(`route ${route.destination} `))
          if (
            route.kind !== 'link' ||
            isHeld ||
            !lines.some((line) => line.startsWith(`link ${route.link} `))
          )
            continue
          routes += 1
          expect(lines).toContain(`route ${formatRoute(route)}`)
        }
      }),
      RUNS,
    )
    expect(routes).toBeGreaterThan(20)
  })

  test('a host without a record carries nothing of ours but live pairs', async () => {
    await fc.assert(
      fc.asyncProperty(randomHost, async (host) => {
        const kernel = await kernelOf(host)
        const live = liveLines(kernel)
        await bringTo(wantedStateOf({ ...host, hasNetworks: false, pairs: [] }), kernel)
        const ours = linesOf(kernel).filter((line) =>
          /ROMANA-|^(link|route|rule) .*(\brmn[ei]\d|protocol 82$)/.test(line),
        )
        const foreign = 'route 203.0.113.0/24 dev eth0 table 82 protocol 82'
        expect(ours.filter((line) => line !== foreign).sort()).toEqual(live.sort())
      }),
      RUNS,
    )
  })
})
