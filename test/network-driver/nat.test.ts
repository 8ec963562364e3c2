/** `-o nat=true|false`. */
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import { type Romana, recordOf, startRomana } from './romana-steps.ts'

const WEB = { tenant: 'blue', segment: 'web' }
const NO = { ...WEB, options: { nat: 'false' } }

function natLines({ kernel }: Romana): string {
  const lines = kernel.show().split('\n')
  return lines.filter((line) => line.includes('-A ROMANA-POSTROUTING -s 10.1.')).join('\n')
}

const EXCEPTION = 'iptables -t nat -A ROMANA-POSTROUTING -s 10.1.17.0/24 -j RETURN'

describe('a network with nat=false', () => {
  it('has a rule as long as it is there; others have none', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', { tenant: 'blue', segment: 'db' })
    expect(natLines(romana)).toBe('')
    const network = await romana.engine.createNetwork('n2', { ...NO, segment: 'web' })
    expect(natLines(romana)).toBe(EXCEPTION.replace('17', '18'))
    await romana.engine.removeNetwork(network)
    expect(natLines(romana)).toBe('')
  })

  it('shares its segment with others that have it so only', async () => {
    const romana = await startRomana()
    await romana.engine.createNetwork('n1', NO)
    await romana.engine.createNetwork('n2', NO)
    expect(natLines(romana)).toBe(EXCEPTION)
    await expect(romana.engine.createNetwork('n3', WEB)).rejects.toThrow(
      'Cannot make a network with nat=true of segment "web" of tenant "blue": network "n1" of the segment has nat=false on this host. Use -o nat=false, or another segment (E_OPTION)',
    )
    expect(await recordOf(romana.journal, '/networks/n3')).toBe('')
  })

  it('has it still when the journal is lost', async () => {
    const romana = await startRomana()
    await romana.engine.run('e1', await romana.engine.createNetwork('n1', NO))
    const again = await startRomana({ ...romana, journal: openMemoryStore(), directory: openMemoryStore() })
    expect(again.plans).toEqual([])
    expect(await recordOf(again.journal, '/networks/n1')).toContain('"nat":false')
  })
})

it('nat=true says what the plugin does anyway, and needs no rule', async () => {
  const romana = await startRomana()
  await romana.engine.createNetwork('n1', { ...WEB, options: { nat: 'true' } })
  await romana.engine.createNetwork('n2', WEB)
  expect(natLines(romana)).toBe('')
})
