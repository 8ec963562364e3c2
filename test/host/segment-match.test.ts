import { expect, test } from 'vitest'
import type { SeenTable } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import { parseIptablesSave } from '../../host/parse-iptables.ts'
import { type Command, commandError } from '../../host/processes.ts'
import { makeFindSegmentMatch, type SegmentMatchSetting } from '../../host/segment-match.ts'
import { type FakeTables, restoreTables, showTables } from '../support/fake-iptables.ts'

const NOTHING_SEEN = { firewall: [] }

/** A kernel that has the match or not, or where iptables does nothing. */
function makeKernel(kind: 'with bpf' | 'without bpf' | 'without iptables') {
  const tables: FakeTables = new Map()
  const programs: string[] = []
  const run = async ({ file, input = '' }: Command) => {
    programs.push(file)
    if (kind === 'without iptables' || (kind === 'without bpf' && input.includes('-m bpf')))
      throw commandError(file, 'Extension bpf revision 1 not supported, missing kernel module?')
    restoreTables(tables, input)
    return ''
  }
  return { run, programs, show: () => showTables(tables, 'iptables').join('\n') }
}

function finder(kernel: ReturnType<typeof makeKernel>, setting: SegmentMatchSetting = 'auto') {
  const found: string[] = []
  const find = makeFindSegmentMatch({ run: kernel.run, setting, onFound: (match) => found.push(match) })
  return { find, found }
}

function seenRule(variant: IptablesVariant, chain: string): { firewall: SeenTable[] } {
  const text = `*filter\n:${chain} - [0:0]\n-A ${chain} -s 10.0.0.0/8 -m bpf --bytecode "1,6 0 0 0" -j ACCEPT\nCOMMIT\n`
  return { firewall: parseIptablesSave(text, { variant, family: 4 }) }
}

test.each([
  ['with bpf', 'bpf'],
  ['without bpf', 'masks'],
] as const)('a kernel %s is tried once, and the rules go by %s', async (kind, match) => {
  const kernel = makeKernel(kind)
  const { find, found } = finder(kernel)
  expect(await Promise.all([find('nft', NOTHING_SEEN), find('nft', NOTHING_SEEN)])).toEqual([match, match])
  expect(kernel.programs).toEqual(['iptables-nft-restore', 'iptables-nft-restore', 'iptables-nft-restore'])
  expect(found).toEqual([match])
  expect(kernel.show()).toBe('')
})

test('the other variant of iptables is tried by itself', async () => {
  const kernel = makeKernel('with bpf')
  const { find } = finder(kernel)
  await find('nft', NOTHING_SEEN)
  await find('legacy', NOTHING_SEEN)
  expect(kernel.programs.slice(3)).toContain('iptables-legacy-restore')
})

test('nothing is tried where our rules have the match already', async () => {
  const kernel = makeKernel('without bpf')
  expect(await finder(kernel).find('nft', seenRule('nft', 'ROMANA-FORWARD'))).toBe('bpf')
  expect(kernel.programs).toEqual([])
})

test.each([
  ['of others', seenRule('nft', 'MINE')],
  ['of the other variant', seenRule('legacy', 'ROMANA-FORWARD')],
])('rules %s say nothing', async (_whose, seen) => {
  expect(await finder(makeKernel('without bpf')).find('nft', seen)).toBe('masks')
})

test.each(['bpf', 'masks'] as const)('%s as a setting is taken, and nothing is tried', async (setting) => {
  const kernel = makeKernel('without iptables')
  const { find, found } = finder(kernel, setting)
  expect(await find('nft', seenRule('nft', 'ROMANA-FORWARD'))).toBe(setting)
  expect(found).toEqual([setting])
  expect(kernel.programs).toEqual([])
})

test('an iptables that does nothing is an error, and is tried again', async () => {
  const kernel = makeKernel('without iptables')
  const { find, found } = finder(kernel)
  await expect(find('nft', NOTHING_SEEN)).rejects.toThrow('E_COMMAND')
  await expect(find('nft', NOTHING_SEEN)).rejects.toThrow('E_COMMAND')
  expect(kernel.programs).toHaveLength(2)
  expect(found).toEqual([])
})
