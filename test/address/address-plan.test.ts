import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_PLAN, firstNumber, formatPlan, lastNumber, parsePlan } from '../../address/address-plan.ts'
import { anyField, anyPlan } from './arbitraries.ts'

describe('parsePlan() reads', () => {
  test.each([
    ['10.0.0.0/8 8/4/4/8'],
    ['192.168.0.0/16 0/2/2/12'],
    ['100.64.0.0/10 6/4/4/8'],
    ['fd00:1:2::/48 16/8/8/48'],
    ['0.0.0.0/0 10/10/10/2'],
  ])('%s and prints it the same', (text) => {
    expect(formatPlan(parsePlan(text))).toBe(text)
  })

  test('any white space around and between its two parts', () => {
    expect(formatPlan(parsePlan(' \t10.0.0.0/8   8/4/4/8\n'))).toBe(DEFAULT_PLAN)
  })
})

describe('parsePlan() refuses', () => {
  test.each([
    ['10.0.0.0/8', 'it is not a CIDR and the four widths host/tenant/segment/endpoint'],
    ['10.0.0.0/8 8/4/4', 'it is not a CIDR and the four widths host/tenant/segment/endpoint'],
    ['10.0.0.0/8 8/4/4/8/0', 'it is not a CIDR and the four widths host/tenant/segment/endpoint'],
    ['10.0.0.0/8 8/4/-4/16', 'it is not a CIDR and the four widths host/tenant/segment/endpoint'],
    ['8/4/4/8 10.0.0.0/8', 'it is not a CIDR and the four widths host/tenant/segment/endpoint'],
    ['10.0.0.0/8 8/4/4/9', 'prefix and widths must add up to 32 bits: they add up to 33'],
    ['10.0.0.0/8 8/4/4/7', 'prefix and widths must add up to 32 bits: they add up to 31'],
    ['fd00:1:2::/48 16/8/8/47', 'prefix and widths must add up to 128 bits: they add up to 127'],
    ['10.0.0.0/8 8/8/7/1', 'the endpoint field needs 2 bits or more: it has 1'],
  ])('"%s": %s', (text, because) => {
    expect(() => parsePlan(text)).toThrow(
      `Cannot use the address plan "${text}": ${because}. Write it like "10.0.0.0/8 8/4/4/8" (E_PLAN)`,
    )
  })

  test('a CIDR that is none, with the reason of the CIDR', () => {
    expect(() => parsePlan('10.0.0.0/08 8/4/4/8')).toThrow('E_ADDRESS')
    expect(() => parsePlan('10.1.0.0/8 8/4/4/8')).toThrow('the network is 10.0.0.0/8')
  })
})

test('parsePlan() reads back what a plan prints', () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      fc.pre(plan.cidr.family === 4 || plan.cidr.network.value >> 32n !== 0xffffn)
      expect(formatPlan(parsePlan(formatPlan(plan)))).toBe(formatPlan(plan))
    }),
  )
})

describe('the numbers of a field', () => {
  test.each([
    ['10.0.0.0/8 8/4/4/8', 'host', '1 to 255'],
    ['10.0.0.0/8 8/4/4/8', 'tenant', '1 to 15'],
    ['192.168.0.0/16 0/2/2/12', 'host', '0 to 0'],
    ['192.168.0.0/16 0/2/2/12', 'segment', '1 to 3'],
    ['fd00:1:2::/48 16/8/8/48', 'endpoint', '1 to 281474976710655'],
  ] as const)('of %s: %s %s', (text, field, range) => {
    const plan = parsePlan(text)
    expect(`${firstNumber(plan, field)} to ${lastNumber(plan, field)}`).toBe(range)
  })

  test('are as many as its bits can tell, without 0 unless there are no bits', () => {
    fc.assert(
      fc.property(anyPlan, anyField, (plan, field) => {
        const width = plan.widths[field]
        expect(lastNumber(plan, field) + 1n).toBe(2n ** BigInt(width))
        expect(firstNumber(plan, field)).toBe(width === 0 ? 0n : 1n)
      }),
    )
  })
})
