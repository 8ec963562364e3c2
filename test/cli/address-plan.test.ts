import { describe, expect, test } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { bitFigure } from '../../cli/bit-figure.ts'
import { runAddressPlan } from '../../cli/commands/address-plan.ts'

test('romana address-plan shows what a plan has room for', () => {
  expect(runAddressPlan({ plan: '10.0.0.0/8 8/4/4/8', json: false })).toEqual({
    exitCode: 0,
    text: `\
plan          10.0.0.0/8 8/4/4/8
hosts         255, a /16 each
tenants       15
segments      15 in each tenant
endpoints     253 in each cell, a /24: one segment on one host
segment mask  255.0.255.0
example       10.1.17.5 is host 1, tenant 1, segment 1, endpoint 5

pppppppp.hhhhhhhh.ttttssss.eeeeeeee
p prefix, h host, t tenant, s segment, e endpoint
`,
  })
})

test('romana address-plan --json prints the same as JSON, with numbers beyond 2^53 as strings', () => {
  const { exitCode, text } = runAddressPlan({ plan: 'fd00:1:2::/48 2/4/4/70', json: true })
  expect(exitCode).toBe(0)
  expect(JSON.parse(text)).toEqual({
    plan: 'fd00:1:2::/48 2/4/4/70',
    hosts: 3,
    tenants: 15,
    segmentsPerTenant: 15,
    endpointsPerCell: '1180591620717411303421',
    hostPrefixLength: 50,
    cellPrefixLength: 58,
    segmentMask: 'ffff:ffff:ffff:3fc0::',
    example: { host: 1, tenant: 1, segment: 1, endpoint: 5, address: 'fd00:1:2:4440::5' },
    bits: [
      'pppppppppppppppp:pppppppppppppppp:pppppppppppppppp:hhttttsssseeeeee',
      'eeeeeeeeeeeeeeee:eeeeeeeeeeeeeeee:eeeeeeeeeeeeeeee:eeeeeeeeeeeeeeee',
    ].join(':'),
  })
})

describe('romana address-plan gives as an example', () => {
  test.each([
    ['192.168.0.0/16 0/2/2/12', '192.168.80.5 is host 0, tenant 1, segment 1, endpoint 5'],
    ['10.0.0.0/8 8/8/5/3', '10.1.1.13 is host 1, tenant 1, segment 1, endpoint 5'],
    ['10.0.0.0/8 8/8/6/2', '10.1.1.6 is host 1, tenant 1, segment 1, endpoint 2'],
    ['10.0.0.0/8 0/0/0/24', '10.0.0.5 is host 0, tenant 0, segment 0, endpoint 5'],
  ])('of %s: %s', (plan, example) => {
    expect(runAddressPlan({ plan, json: false }).text).toContain(`example       ${example}\n`)
  })
})

test.each([
  ['10.0.0.0/9 7/4/4/8', 'pppppppp.phhhhhhh.ttttssss.eeeeeeee'],
  ['192.168.0.0/16 0/2/2/12', 'pppppppp.pppppppp.ttsseeee.eeeeeeee'],
])('the bits of %s are %s', (plan, figure) => {
  expect(bitFigure(parsePlan(plan))).toBe(figure)
})
