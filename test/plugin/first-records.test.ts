import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AddressPlan, formatPlan, type Plans, parsePlan } from '../../address/address-plan.ts'
import { RomanaError } from '../../errors.ts'
import { ensureHost, ensurePlan, readMachineId } from '../../plugin/first-records.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { keysOf, makeIpam } from '../ipam-driver/ipam-steps.ts'

const PRIVATE = '172.16.0.0/12 4/4/4/8'
const SIX = 'fd00::/48 16/16/16/32'
const anyPlan = () => undefined

/** "10.0.0.0/8 8/4/4/8, fd00::/48 16/16/16/32" */
function textOf({ ipv4, ipv6 }: Plans): string {
  return [ipv4, ...(ipv6 === undefined ? [] : [ipv6])].map(formatPlan).join(', ')
}

/** Starts with these settings. */
async function start(
  directory: Store,
  plan = '',
  plan6 = '',
  check: (plan: AddressPlan) => void = anyPlan,
): Promise<string> {
  const parsed = (text: string) => (text === '' ? undefined : parsePlan(text))
  return textOf(await ensurePlan(directory, { plan: parsed(plan), plan6: parsed(plan6) }, check))
}

/** With a tenant, whose number is bits of addresses. */
async function makeUsed(plan = '10.0.0.0/8 8/4/4/8', plan6 = ''): Promise<Store> {
  const directory = openMemoryStore()
  await start(directory, plan, plan6)
  await makeIpam({ directory, plan }).pool({ tenant: 'blue' })
  return directory
}

describe('the plan', () => {
  it.each([
    ['', '', '10.0.0.0/8 8/4/4/8'],
    [PRIVATE, '', PRIVATE],
    ['', SIX, `10.0.0.0/8 8/4/4/8, ${SIX}`],
  ])('of a new cluster is that of the settings "%s" and "%s", or the default', async (plan, plan6, is) => {
    const directory = openMemoryStore()
    expect(await start(directory, plan, plan6)).toBe(is)
    expect(await start(directory)).toBe(is)
  })

  it('may change as long as it has no tenant', async () => {
    const directory = openMemoryStore()
    await start(directory, PRIVATE, SIX)
    expect(await start(directory, '10.0.0.0/8 8/8/4/4')).toBe(`10.0.0.0/8 8/8/4/4, ${SIX}`)
  })

  it('in use is what is recorded, whatever the default', async () => {
    expect(await start(await makeUsed(PRIVATE))).toBe(PRIVATE)
    expect(await start(await makeUsed(PRIVATE), PRIVATE)).toBe(PRIVATE)
  })

  it.each([
    [
      '10.0.0.0/8 8/8/4/4',
      '',
      'Cannot use the setting ROMANA_PLAN="10.0.0.0/8 8/8/4/4": the recorded plan is "10.0.0.0/8 8/4/4/8", and addresses in use follow from it. Set ROMANA_PLAN="10.0.0.0/8 8/4/4/8". Another plan needs an empty state directory: its tenants keep their numbers (E_PLAN_CHANGED)',
    ],
    ['', SIX, 'Cannot use the setting ROMANA_PLAN6="fd00::/48 16/16/16/32": the recorded plan is "none"'],
  ])('in use does not change to "%s" or "%s"', async (plan, plan6, message) => {
    const directory = await makeUsed()
    await expect(start(directory, plan, plan6)).rejects.toThrow(message)
    expect(await start(directory)).toBe('10.0.0.0/8 8/4/4/8')
  })

  it('that the host cannot carry is not recorded', async () => {
    const directory = openMemoryStore()
    const overlap = new RomanaError('E_PLAN_OVERLAP', { cannot: 'use the plan', because: 'a LAN has it' })
    const refuse = () => {
      throw overlap
    }
    await expect(start(directory, '', '', refuse)).rejects.toThrow(overlap)
    expect(await keysOf(directory)).toBe('')
  })

  it('in use is not judged: it is too late to choose another one', async () => {
    const directory = await makeUsed()
    const refuse = () => expect.unreachable()
    expect(await start(directory, '', '', refuse)).toBe('10.0.0.0/8 8/4/4/8')
  })

  it('is one, when two hosts start at the same moment with different settings', async () => {
    const directory = openMemoryStore()
    const plans = [PRIVATE, '10.0.0.0/8 8/8/4/4']
    await Promise.all(plans.map((plan) => start(directory, plan)))
    expect(plans).toContain(await start(directory))
  })
})

describe('the number of a host', () => {
  const plan = parsePlan('10.0.0.0/8 2/6/8/8')

  it('is the lowest free one, and the machine keeps it', async () => {
    const directory = openMemoryStore()
    const numbers = []
    for (const machine of ['a', 'b', 'a', 'c', 'b']) numbers.push(await ensureHost(directory, plan, machine))
    expect(numbers.join(' ')).toBe('1 2 1 3 2')
  })

  it('is another one for each of three that start at the same moment', async () => {
    const directory = openMemoryStore()
    const machines = ['a', 'b', 'c', 'a', 'b', 'c']
    const numbers = await Promise.all(machines.map((machine) => ensureHost(directory, plan, machine)))
    expect(new Set(numbers.slice(0, 3)).size).toBe(3)
    expect(numbers.slice(3)).toEqual(numbers.slice(0, 3))
  })

  it('is refused to a fourth where there are three', async () => {
    const directory = openMemoryStore()
    for (const machine of ['a', 'b', 'c']) await ensureHost(directory, plan, machine)
    await expect(ensureHost(directory, plan, 'd')).rejects.toThrow(
      'Cannot give this host a number: all 3 host numbers of the plan 10.0.0.0/8 are taken. Remove a host, or use a plan with more host bits (E_NUMBER)',
    )
  })

  it('is 0 in a plan without host bits', async () => {
    expect(await ensureHost(openMemoryStore(), parsePlan('192.168.0.0/16 0/0/8/8'), 'a')).toBe(0)
  })

  it('changes with a plan that was changed before anybody used it', async () => {
    const directory = openMemoryStore()
    const alone = parsePlan('192.168.0.0/16 0/0/8/8')
    const numbers = []
    for (const is of [plan, alone, plan, alone]) numbers.push(await ensureHost(directory, is, 'a'))
    expect(numbers.join(' ')).toBe('1 0 1 0')
  })
})

describe('the id of a machine', () => {
  it.each([
    ['0123abcd\n', '0123abcd'],
    ['\n', `hostname:${hostname()}`],
  ])('%j is read as "%s"', async (content, id) => {
    const directory = await mkdtemp(`${tmpdir()}/romana-machine-id-`)
    onTestFinished(() => rm(directory, { recursive: true }))
    await writeFile(`${directory}/machine-id`, content)
    expect(await readMachineId(`${directory}/machine-id`)).toBe(id)
  })

  it('is the host name where there is no file', async () => {
    expect(await readMachineId('/nowhere/machine-id')).toBe(`hostname:${hostname()}`)
  })
})
