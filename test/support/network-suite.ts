/** Runs cases on real engines, with each driver. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Release } from '../../lab/engine-root.ts'
import { startLab } from '../../lab/lab.ts'
import { expectedOf, type NetworkCase } from './network-case.ts'
import { DRIVERS, type DriverName } from './network-driver-names.ts'
import { Stage, type StageSet } from './network-stage.ts'
import { PLUGIN, PLUGIN_DIRECTORY } from './romana-host.ts'
import { startServices } from './services.ts'

/** A host on which the cases run. */
interface Ground {
  readonly release: Release
  readonly iptables: 'nft' | 'legacy'
  /** Docker's own driver shows on each engine that the cases are right, and what differs. */
  readonly drivers: readonly DriverName[]
}

const GROUNDS: readonly Ground[] = [
  { release: 'sid', iptables: 'nft', drivers: DRIVERS },
  { release: 'bookworm', iptables: 'nft', drivers: DRIVERS },
  { release: 'sid', iptables: 'legacy', drivers: ['romana'] },
  { release: 'bookworm', iptables: 'legacy', drivers: ['romana'] },
]

/** Less than Ethernet's, so that it shows whose MTU a link has. */
const UPLINK_MTU = 1450

/** @param lab at most 5 small letters, which no other file uses */
export function describeNetworkCases(lab: string, cases: readonly NetworkCase[]): void {
  describe.each(GROUNDS)('Docker of Debian $release, iptables $iptables', (ground) => {
    let set: StageSet
    const opened = new AsyncDisposableStack()

    beforeAll(async () => {
      set = await startSet(
        `${lab}${ground.release.slice(0, 1)}${ground.iptables.slice(0, 1)}`,
        ground,
        opened,
      )
    })
    afterAll(() => opened.disposeAsync())

    describe.each(ground.drivers)('driver %s', (driver) => {
      // Not `each`: it cuts long titles.
      for (const networkCase of cases) it.concurrent(networkCase.title, () => check(networkCase, set, driver))
    })
  })
}

async function check(networkCase: NetworkCase, set: StageSet, driver: DriverName): Promise<void> {
  await using stage = new Stage(set, driver)
  const seen = await networkCase.see(stage)
  const expected = expectedOf(networkCase, driver, stage.version)
  if (typeof expected === 'string') expect(seen).toBe(expected)
  else expect(seen).toMatch(expected)
}

async function startSet(
  name: string,
  { release, iptables }: Ground,
  opened: AsyncDisposableStack,
): Promise<StageSet> {
  // With docker0: without it Docker 28 leaves forwarding off, and its own driver reaches nothing outside.
  const hosts = [{ name: 'h1', release, iptables, engineArgs: [] }]
  const lab = opened.use(await startLab({ name, hosts, underlay: 'layer2', mtu: UPLINK_MTU }))
  const [host] = lab.hosts
  if (host === undefined) throw new Error('The lab has no host')
  await host.installPlugin({ alias: PLUGIN, directory: PLUGIN_DIRECTORY })
  opened.use(await startServices(lab.router.netns, lab.router.outside.address))
  opened.use(await startServices(host.netns, '0.0.0.0'))
  return { host, router: lab.router, nextStage: counter(), nextSubnet: counter() }
}

function counter(): () => number {
  let last = -1
  return () => {
    last += 1
    return last
  }
}
