import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIELDS, firstNumber, formatPlan, lastNumber, parsePlan } from '../../address/address-plan.ts'
import { encodeAddress } from '../../address/codec.ts'
import { goTogether, localIpv6Plan, pairPlans } from '../../address/ipv6-plan.ts'
import { numbersOf, planOf } from './arbitraries.ts'

const DEFAULT = parsePlan('10.0.0.0/8 8/4/4/8')
const globalId = fc.bigInt({ min: 0n, max: (1n << 40n) - 1n })

describe('the IPv6 plan of a cluster that is given none', () => {
  it.each([
    ['10.0.0.0/8 8/4/4/8', 'fd3a:1c55:9e02::/48 16/16/16/32'],
    ['192.168.0.0/16 0/2/2/12', 'fd3a:1c55:9e02::/48 0/16/16/48'],
    ['0.0.0.0/0 18/4/4/6', 'fd3a:1c55:9e02::/48 32/16/16/16'],
  ])('beside %s is %s', (ipv4, ipv6) => {
    expect(formatPlan(localIpv6Plan(parsePlan(ipv4), 0x3a1c559e02n))).toBe(ipv6)
  })

  it('has addresses that a person can read', () => {
    const plan = localIpv6Plan(DEFAULT, 0x3a1c559e02n)
    const address = encodeAddress(plan, { host: 1n, tenant: 2n, segment: 3n, endpoint: 5n })
    expect(String(address)).toBe('fd3a:1c55:9e02:1:2:3:0:5')
  })

  it('fits any IPv4 plan and any random number', () => {
    const property = fc.property(planOf(4), globalId, (ipv4, id) => {
      const { ipv6 } = pairPlans(ipv4, localIpv6Plan(ipv4, id))
      expect(formatPlan(ipv6 ?? ipv4)).toMatch(/^fd[0-9a-f:]+\/48 /)
    })
    fc.assert(property)
  })

  it('is another one for another random number', () => {
    const property = fc.property(planOf(4), globalId, globalId, (ipv4, a, b) => {
      const isSame = formatPlan(localIpv6Plan(ipv4, a)) === formatPlan(localIpv6Plan(ipv4, b))
      expect(isSame).toBe(a === b)
    })
    fc.assert(property)
  })
})

describe('two plans', () => {
  it('go together when every number of the IPv4 one has an IPv6 address', () => {
    const property = fc.property(planOf(4), planOf(6), (ipv4, ipv6) => {
      fc.pre(goTogether(ipv4, ipv6))
      for (const field of ['host', 'tenant', 'segment'] as const) {
        expect(firstNumber(ipv6, field)).toBe(firstNumber(ipv4, field))
        expect(lastNumber(ipv6, field)).toBeGreaterThanOrEqual(lastNumber(ipv4, field))
      }
    })
    fc.assert(property)
  })

  it('share host, tenant and segment numbers', () => {
    const ipv6 = parsePlan('2001:db8:7::/48 8/8/8/56')
    const property = fc.property(numbersOf(DEFAULT), (numbers) => {
      const address = encodeAddress(pairPlans(DEFAULT, ipv6).ipv6 ?? DEFAULT, numbers)
      expect(FIELDS.every((field) => numbers[field] >= 0n) && ipv6.cidr.contains(address)).toBe(true)
    })
    fc.assert(property)
  })

  it.each([
    ['2001:db8:7::/48 4/8/8/60', 'the host field needs 8 bits or more, and has 4'],
    ['2001:db8:7::/48 16/2/8/54', 'the tenant field needs 4 bits or more, and has 2'],
    ['2001:db8:7::/48 16/8/0/56', 'the segment field needs 4 bits or more, and has 0'],
  ])('do not when the IPv6 one is narrower: %s', (text, because) => {
    expect(() => pairPlans(DEFAULT, parsePlan(text))).toThrow(
      `Cannot use the address plan "${text}" beside "10.0.0.0/8 8/4/4/8": ` +
        `${because.replace(/^the (\w+) field/, '$1s have one number in both: the $1 field')}. ` +
        'Write it like "fd00:0:1::/48 16/16/16/32" (E_PLAN)',
    )
  })

  it('do not when only one has bits for hosts', () => {
    expect(() =>
      pairPlans(parsePlan('192.168.0.0/16 0/2/2/12'), parsePlan('fd00:1:2::/48 16/8/8/48')),
    ).toThrow('hosts have one number in both: the host field needs 0 bits, and has 16')
  })
})
