import { describe, expect, it } from 'vitest'
import { type AddressPlan, formatPlan, type Plans, parsePlan } from '../../address/address-plan.ts'
import { ensurePlan, plansOf } from '../../cluster/plan.ts'
import { RomanaError } from '../../errors.ts'
import { directoryKeys } from '../../store/keys.ts'
import { openMemoryStore } from '../../store/memory.ts'
import { formatRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { keysOf, makeIpam } from '../ipam-driver/ipam-steps.ts'

const PRIVATE = '172.16.0.0/12 4/4/4/8'
const SIX = 'fd00::/48 16/16/16/32'
/** Made of random bits. */
const OWN = 'fd3a:1c55:9e02::/48 16/16/16/32'
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
  const wish = { plan: parsed(plan), plan6: parsed(plan6) }
  const parts = { directory, wish, check, machineId: 'a', instanceId: 'a1', globalId: 0x3a1c559e02n }
  const { record } = await ensurePlan(parts)
  return textOf(plansOf(record))
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
    ['', '', `10.0.0.0/8 8/4/4/8, ${OWN}`],
    [PRIVATE, '', `${PRIVATE}, ${OWN}`],
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
    expect(await start(await makeUsed(PRIVATE))).toBe(`${PRIVATE}, ${OWN}`)
    expect(await start(await makeUsed(PRIVATE), PRIVATE)).toBe(`${PRIVATE}, ${OWN}`)
  })

  it.each([
    [
      '10.0.0.0/8 8/8/4/4',
      '',
      'Cannot use the setting ROMANA_PLAN="10.0.0.0/8 8/8/4/4": the recorded plan is "10.0.0.0/8 8/4/4/8", and addresses in use follow from it. Set ROMANA_PLAN="10.0.0.0/8 8/4/4/8". Another plan needs an empty state directory: its tenants keep their numbers (E_PLAN_CHANGED)',
    ],
    ['', SIX, `Cannot use the setting ROMANA_PLAN6="fd00::/48 16/16/16/32": the recorded plan is "${OWN}"`],
  ])('in use does not change to "%s" or "%s"', async (plan, plan6, message) => {
    const directory = await makeUsed()
    await expect(start(directory, plan, plan6)).rejects.toThrow(message)
    expect(await start(directory)).toBe(`10.0.0.0/8 8/4/4/8, ${OWN}`)
  })

  it.each([
    ['', OWN],
    [SIX, SIX],
  ])('of IPv6 comes to a cluster in use that has none: with the setting "%s" it is %s', async (plan6, is) => {
    const directory = await makeUsed()
    const value = formatRecord({ ipv4: '10.0.0.0/8 8/4/4/8' })
    await directory.commit([{ kind: 'put', key: directoryKeys.plan(), value }])
    expect(await start(directory, '', plan6)).toBe(`10.0.0.0/8 8/4/4/8, ${is}`)
    expect(await start(directory)).toBe(`10.0.0.0/8 8/4/4/8, ${is}`)
  })

  it('of IPv6 that is too narrow for the IPv4 one is refused, and a recorded one replaced', async () => {
    const directory = openMemoryStore()
    const narrow = 'fd00::/48 8/4/4/64'
    await expect(start(directory, '10.0.0.0/8 8/8/4/4', narrow)).rejects.toThrow('(E_PLAN)')
    await start(directory, '', narrow)
    expect(await start(directory, '10.0.0.0/8 8/8/4/4')).toBe(`10.0.0.0/8 8/8/4/4, ${OWN}`)
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
    expect(await start(directory, '', '', refuse)).toBe(`10.0.0.0/8 8/4/4/8, ${OWN}`)
  })

  it('is one, when two hosts start at the same moment with different settings', async () => {
    const directory = openMemoryStore()
    const plans = [PRIVATE, '10.0.0.0/8 8/8/4/4']
    await Promise.all(plans.map((plan) => start(directory, plan)))
    expect(plans.map((plan) => `${plan}, ${OWN}`)).toContain(await start(directory))
  })
})
