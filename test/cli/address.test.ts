import { describe, expect, test } from 'vitest'
import { runAddress } from '../../cli/commands/address.ts'

const DEFAULT = '10.0.0.0/8 8/4/4/8'
const IPV6 = 'fd00:1:2::/48 16/8/8/48'

test('romana address reads an address aloud', () => {
  expect(runAddress({ address: '10.1.17.5', plan: DEFAULT, json: false })).toEqual({
    exitCode: 0,
    text: `\
address      10.1.17.5
plan         10.0.0.0/8 8/4/4/8
host         1
tenant       1
segment      1
endpoint     5
cell         10.1.17.0/24
host prefix  10.1.0.0/16
gateway      10.1.17.1
it is        an endpoint
`,
  })
})

test('romana address says of an address outside the plan no more than that', () => {
  expect(runAddress({ address: '192.168.1.5', plan: DEFAULT, json: false })).toEqual({
    exitCode: 1,
    text: `\
address  192.168.1.5
plan     10.0.0.0/8 8/4/4/8
it is    nobody's: it lies outside the plan
`,
  })
})

test('romana address --json prints the same as JSON', () => {
  const { exitCode, text } = runAddress({ address: 'fd00:1:2:1:101::5', plan: IPV6, json: true })
  expect(exitCode).toBe(0)
  expect(JSON.parse(text)).toEqual({
    address: 'fd00:1:2:1:101::5',
    plan: IPV6,
    kind: 'endpoint',
    host: 1,
    tenant: 1,
    segment: 1,
    endpoint: 5,
    cell: 'fd00:1:2:1:101::/80',
    hostPrefix: 'fd00:1:2:1::/64',
    gateway: 'fd00:1:2:1:101::1',
  })
})

describe('romana address tells what an address is:', () => {
  test.each([
    ['10.1.17.0', DEFAULT, 'the network address of its cell, which no endpoint gets', 0],
    ['10.1.17.1', DEFAULT, 'the gateway of its cell', 0],
    ['10.1.17.2', DEFAULT, 'an endpoint', 0],
    ['10.1.17.254', DEFAULT, 'an endpoint', 0],
    ['10.1.17.255', DEFAULT, 'the last address of its cell, which no endpoint gets', 0],
    ['10.0.17.5', DEFAULT, "nobody's: hosts, tenants and segments are numbered from 1", 1],
    ['10.1.1.5', DEFAULT, "nobody's: hosts, tenants and segments are numbered from 1", 1],
    ['10.1.16.5', DEFAULT, "nobody's: hosts, tenants and segments are numbered from 1", 1],
    ['192.168.80.5', '192.168.0.0/16 0/2/2/12', 'an endpoint', 0],
    ['11.1.17.5', DEFAULT, "nobody's: it lies outside the plan", 1],
    ['fd00::5', DEFAULT, "nobody's: it lies outside the plan", 1],
    ['fd00:1:2:1:101:ffff:ffff:ffff', IPV6, 'the last address of its cell, which no endpoint gets', 0],
  ])('%s in %s is %s', (address, plan, meaning, exitCode) => {
    const outcome = runAddress({ address, plan, json: false })
    expect(outcome.text.split('\n').at(-2)).toMatch(/^it is +/)
    expect(
      outcome.text
        .split('\n')
        .at(-2)
        ?.replace(/^it is +/, ''),
    ).toBe(meaning)
    expect(outcome.exitCode).toBe(exitCode)
  })
})
