import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AddressPlan,
  FIELDS,
  firstNumber,
  lastNumber,
  makePlan,
  parsePlan,
} from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { type AddressNumbers, decodeAddress, encodeAddress } from '../../address/codec.ts'
import { Ip } from '../../address/ip.ts'
import { anyAddress, anyField, anyPlan, planWithNumbers, planWithPair } from './arbitraries.ts'

const WORKED_EXAMPLES: readonly [plan: string, numbers: string, address: string][] = [
  ['10.0.0.0/8 8/4/4/8', '1 1 1 5', '10.1.17.5'],
  ['10.0.0.0/8 8/4/4/8', '1 1 1 2', '10.1.17.2'],
  ['10.0.0.0/8 8/4/4/8', '1 1 2 5', '10.1.18.5'],
  ['10.0.0.0/8 8/4/4/8', '1 2 1 5', '10.1.33.5'],
  ['10.0.0.0/8 8/4/4/8', '2 1 1 5', '10.2.17.5'],
  ['10.0.0.0/8 8/4/4/8', '1 1 1 0', '10.1.17.0'],
  ['10.0.0.0/8 8/4/4/8', '255 15 15 255', '10.255.255.255'],
  ['192.168.0.0/16 0/2/2/12', '0 1 1 5', '192.168.80.5'],
  ['192.168.0.0/16 0/2/2/12', '0 3 3 4094', '192.168.255.254'],
  ['100.64.0.0/10 6/4/4/8', '1 1 1 5', '100.65.17.5'],
  ['100.64.0.0/10 6/4/4/8', '63 15 15 254', '100.127.255.254'],
  ['fd00:1:2::/48 16/8/8/48', '1 1 1 5', 'fd00:1:2:1:101::5'],
  ['fd00:1:2::/48 16/8/8/48', '65535 255 255 281474976710655', 'fd00:1:2:ffff:ffff:ffff:ffff:ffff'],
]

describe('encodeAddress() and decodeAddress() agree with the worked example', () => {
  test.each(WORKED_EXAMPLES)('of plan %s: %s is %s', (planText, numbers, address) => {
    const plan = parsePlan(planText)
    expect(encodeAddress(plan, readNumbers(numbers)).toString()).toBe(address)
    expect(showNumbers(decodeAddress(plan, Ip.parse(address)))).toBe(numbers)
  })
})

test('decodeAddress() gives back the numbers of encodeAddress(), for any plan', () => {
  fc.assert(
    fc.property(planWithNumbers, ({ plan, numbers }) => {
      expect(decodeAddress(plan, encodeAddress(plan, numbers))).toEqual(numbers)
    }),
    { numRuns: 1000 },
  )
})

test('every IPv4 plan there can be gives back its lowest and highest numbers', () => {
  const wrong: string[] = []
  for (const plan of allIpv4Plans()) {
    for (const numberOf of [firstNumber, lastNumber]) {
      const numbers = fromFields((field) => numberOf(plan, field))
      const back = showNumbers(decodeAddress(plan, encodeAddress(plan, numbers)))
      if (back !== showNumbers(numbers)) wrong.push(`${plan.cidr} ${showNumbers(numbers)}: ${back}`)
    }
  }
  expect(wrong).toEqual([])
})

test('encodeAddress() gives back any address of a plan that has an owner', () => {
  const planWithAddress = fc.tuple(anyPlan, anyAddress).map(([plan, { value }]) => {
    const { family, network, size } = plan.cidr
    return { plan, address: Ip.of(family, network.value + (value % size)) }
  })
  fc.assert(
    fc.property(planWithAddress, ({ plan, address }) => {
      const numbers = decodeAddress(plan, address)
      if (numbers === undefined) throw new Error(`${address} was not decoded`)
      fc.pre(FIELDS.every((field) => field === 'endpoint' || numbers[field] >= firstNumber(plan, field)))
      expect(encodeAddress(plan, numbers).toString()).toBe(address.toString())
    }),
  )
})

test('encodeAddress() gives distinct numbers distinct addresses, and equal ones the same', () => {
  fc.assert(
    fc.property(planWithPair, ({ plan, a, b }) => {
      const same = FIELDS.every((field) => a[field] === b[field])
      expect(encodeAddress(plan, a).equals(encodeAddress(plan, b))).toBe(same)
    }),
    { numRuns: 1000 },
  )
})

test('encodeAddress() gives only addresses of the plan', () => {
  fc.assert(
    fc.property(planWithNumbers, ({ plan, numbers }) => {
      expect(plan.cidr.contains(encodeAddress(plan, numbers))).toBe(true)
    }),
  )
})

describe('encodeAddress() refuses', () => {
  test.each([
    ['256 1 1 5', 'host number 256', '8 host bits: numbers from 1 to 255'],
    ['0 1 1 5', 'host number 0', '8 host bits: numbers from 1 to 255'],
    ['1 16 1 5', 'tenant number 16', '4 tenant bits: numbers from 1 to 15'],
    ['1 0 1 5', 'tenant number 0', '4 tenant bits: numbers from 1 to 15'],
    ['1 1 16 5', 'segment number 16', '4 segment bits: numbers from 1 to 15'],
    ['1 1 0 5', 'segment number 0', '4 segment bits: numbers from 1 to 15'],
    ['1 1 1 256', 'endpoint number 256', '8 endpoint bits: numbers from 0 to 255'],
    ['1 1 1 -1', 'endpoint number -1', '8 endpoint bits: numbers from 0 to 255'],
  ])('%s: %s', (numbers, what, range) => {
    expect(() => encodeAddress(parsePlan('10.0.0.0/8 8/4/4/8'), readNumbers(numbers))).toThrow(
      `Cannot use ${what}: the plan 10.0.0.0/8 has ${range} (E_NUMBER)`,
    )
  })

  test('any number but 0 of a field without bits', () => {
    const plan = parsePlan('192.168.0.0/16 0/2/2/12')
    expect(() => encodeAddress(plan, readNumbers('1 1 1 5'))).toThrow(
      'the plan 192.168.0.0/16 has 0 host bits: numbers from 0 to 0 (E_NUMBER)',
    )
  })

  test('a number too large or below zero in any field of any plan, so that no neighbour is touched', () => {
    const excess = fc.bigInt({ min: 1n, max: 1n << 130n })
    fc.assert(
      fc.property(planWithNumbers, anyField, excess, ({ plan, numbers }, field, by) => {
        for (const number of [lastNumber(plan, field) + by, -by]) {
          expect(() => encodeAddress(plan, { ...numbers, [field]: number })).toThrow('E_NUMBER')
        }
      }),
    )
  })
})

test('decodeAddress() knows nothing of addresses outside the plan', () => {
  const plan = parsePlan('10.0.0.0/8 8/4/4/8')
  for (const text of ['9.255.255.255', '11.0.0.0', '192.168.1.1', 'fd00::5', '::a01:1105']) {
    expect(decodeAddress(plan, Ip.parse(text))).toBeUndefined()
  }
})

function fromFields(numberOf: (field: keyof AddressNumbers) => bigint): AddressNumbers {
  return {
    host: numberOf('host'),
    tenant: numberOf('tenant'),
    segment: numberOf('segment'),
    endpoint: numberOf('endpoint'),
  }
}

/** "1 1 1 5" is host 1, tenant 1, segment 1, endpoint 5. */
function readNumbers(text: string): AddressNumbers {
  const numbers = text.split(' ').map(BigInt)
  return fromFields((field) => numbers[FIELDS.indexOf(field)] ?? 0n)
}

function showNumbers(numbers: AddressNumbers | undefined): string {
  return numbers === undefined ? 'none' : FIELDS.map((field) => numbers[field]).join(' ')
}

function* allIpv4Plans(): Generator<AddressPlan> {
  for (let prefix = 0; prefix <= 30; prefix++) {
    const cidr = Cidr.around(Ip.parse('170.170.170.170'), prefix)
    for (let host = 0; prefix + host <= 30; host++) {
      for (let tenant = 0; prefix + host + tenant <= 30; tenant++) {
        for (let segment = 0; prefix + host + tenant + segment <= 30; segment++) {
          yield makePlan(cidr, { host, tenant, segment, endpoint: 32 - prefix - host - tenant - segment })
        }
      }
    }
  }
}
