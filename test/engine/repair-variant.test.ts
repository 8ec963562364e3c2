/** Docker's rules decide where Romana's are: also when Docker is not there yet, and when it moves. */
import { expect, it } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'
import { expectedReachability, type Member, reachability, startMember } from '../support/reach.ts'
import { createNetwork, createSegmentNetwork, startRomanaHost } from '../support/romana-host.ts'

it('the rules go with Docker from iptables-nft to iptables-legacy, and are there at once when the host starts', async () => {
  await using romana = await startRomanaHost({ lab: 'variant', release: 'sid', engineArgs: [] })
  const { host } = romana
  const network = await createSegmentNetwork(host, 'blue', 'web')
  expect(await placesOf('ROMANA-FORWARD', host)).toBe('nft')

  await host.stopEngine()
  for (const name of ['iptables', 'ip6tables'])
    await host.runInside('update-alternatives', ['--set', name, `/usr/sbin/${name}-legacy`])
  await flushAll(host)
  await host.startEngine()
  expect(await placesOf('DOCKER-USER', host)).toBe('legacy')
  await createNetwork(host, 'other')
  expect(await placesOf('ROMANA-FORWARD', host)).toBe('legacy')
  const members = [await startMember(host, 'web-1', network), await startMember(host, 'web-2', network)]
  expect(await reachability(members)).toBe(expectedReachability(members, () => true))

  await host.stopEngine()
  await flushAll(host)
  const before = host.engineLog().length
  await host.startEngine()
  await expect.poll(() => placesOf('ROMANA-FORWARD', host)).toBe('legacy')
  const log = host.engineLog().slice(before)
  expect(log).toContain('# iptables-legacy-restore')
  expect(log).not.toContain('# iptables-nft-restore')
})

it.each(['nft', 'legacy'] as const)(
  'ROMANA_IPTABLES=%s is followed, whichever Docker uses',
  async (variant) => {
    const docker = variant === 'nft' ? 'legacy' : 'nft'
    const options = { lab: `set${variant}`, release: 'sid', iptables: docker } as const
    await using romana = await startRomanaHost(options, { ROMANA_IPTABLES: variant })
    const { host } = romana
    const members: Member[] = []
    for (const tenant of ['blue', 'green']) {
      const network = await createSegmentNetwork(host, tenant, 'web')
      for (const number of [1, 2]) members.push(await startMember(host, `${network}-${number}`, network))
    }
    expect(await placesOf('DOCKER-USER', host)).toBe(docker)
    expect(await placesOf('ROMANA-FORWARD', host)).toBe(variant)
    const isTogether = (a: string, b: string) => a.slice(0, -2) === b.slice(0, -2)
    expect(await reachability(members)).toBe(expectedReachability(members, isTogether))
  },
)

/** What is left of the rules after a reboot. */
async function flushAll(host: LabHost): Promise<void> {
  await host.runInside('nft', ['flush', 'ruleset'])
  const tables = ['filter', 'nat', 'raw']
  for (const table of tables) {
    for (const all of ['--flush', '--delete-chain'])
      await host.runInside('iptables-legacy', ['--table', table, all])
  }
}

async function placesOf(chain: string, host: LabHost): Promise<string> {
  const places: string[] = []
  for (const variant of ['nft', 'legacy']) {
    const { stdout } = await host.runInside(`iptables-${variant}-save`, [])
    if (stdout.includes(`\n:${chain} `)) places.push(variant)
  }
  return places.join(' and ')
}
