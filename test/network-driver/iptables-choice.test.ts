import { describe, expect, it } from 'vitest'
import type { SeenTable } from '../../host/host-state.ts'
import { parseIptablesSave } from '../../host/parse-iptables.ts'
import { chooseIptables, rememberIptables } from '../../network-driver/iptables-choice.ts'
import { openMemoryStore } from '../../store/memory.ts'

const DOCKER = '*filter\n:INPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n:DOCKER-USER - [0:0]\nCOMMIT\n'
const SWARM = '*filter\n:DOCKER-INGRESS - [0:0]\nCOMMIT\n'
const OTHERS =
  '*filter\n:INPUT ACCEPT [0:0]\n:MY-DOCKER - [0:0]\n-A INPUT -m comment --comment ":DOCKER " -j MY-DOCKER\nCOMMIT\n'

/** A host whose iptables-save print this. */
function seen(nft: string, legacy: string): { firewall: SeenTable[] } {
  return {
    firewall: [
      ...parseIptablesSave(nft, { variant: 'nft', family: 4 }),
      ...parseIptablesSave(legacy, { variant: 'legacy', family: 4 }),
    ],
  }
}

describe('auto chooses', () => {
  it.each([
    ['nft', 'neither has rules', '', ''],
    ['nft', 'nft has chains of Docker', DOCKER, ''],
    ['legacy', 'legacy has chains of Docker', '', DOCKER],
    ['legacy', 'legacy has those of a swarm only', OTHERS, SWARM],
    ['nft', 'both have chains of Docker', DOCKER, DOCKER],
    ['nft', 'only others have rules', '', OTHERS],
  ])('%s where %s', async (variant, _case, nft, legacy) => {
    expect(await chooseIptables(openMemoryStore(), 'auto', seen(nft, legacy))).toBe(variant)
  })

  it.each([
    ['neither has any, as when the host starts', '', ''],
    ['both have some', DOCKER, DOCKER],
  ])('what had chains of Docker before, where %s', async (_case, nft, legacy) => {
    const journal = openMemoryStore()
    await rememberIptables(journal, seen('', DOCKER))
    await rememberIptables(journal, seen(nft, legacy))
    expect(await chooseIptables(journal, 'auto', seen(nft, legacy))).toBe('legacy')
  })

  it('the new place when Docker has moved', async () => {
    const journal = openMemoryStore()
    await rememberIptables(journal, seen('', DOCKER))
    expect(await chooseIptables(journal, 'auto', seen(DOCKER, ''))).toBe('nft')
    await rememberIptables(journal, seen(DOCKER, ''))
    expect(await chooseIptables(journal, 'auto', seen('', ''))).toBe('nft')
  })
})

it.each(['nft', 'legacy'] as const)(
  '%s as a setting is what is taken, wherever Docker is',
  async (setting) => {
    expect(await chooseIptables(openMemoryStore(), setting, seen(DOCKER, ''))).toBe(setting)
    expect(await chooseIptables(openMemoryStore(), setting, seen('', DOCKER))).toBe(setting)
  },
)

it('what was chosen is written down once', async () => {
  const journal = openMemoryStore()
  await rememberIptables(journal, seen(DOCKER, ''))
  const first = await journal.get('/iptables')
  await rememberIptables(journal, seen(DOCKER, ''))
  expect(first?.value).toBe('{"variant":"nft"}')
  expect(await journal.get('/iptables')).toEqual(first)
})
