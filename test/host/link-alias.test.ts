import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { formatLinkAlias, type LinkAlias, parseLinkAlias } from '../../host/link-alias.ts'
import { NAME_LIMIT } from '../../store/ids.ts'
import { anyAddress } from '../address/arbitraries.ts'

const ALIAS: LinkAlias = {
  endpointId: '3fa4',
  networkId: '9bd0',
  address: Ip.parse('10.1.17.5'),
  tenant: 'blue',
  segment: 'web',
}

const TWO: LinkAlias = { ...ALIAS, address6: Ip.parse('fd3a:1c55:9e02:1:1:1:0:5') }

const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}$/)
const id = fc.stringMatching(/^[a-zA-Z0-9]{1,64}$/)
const anyAlias: fc.Arbitrary<LinkAlias> = fc.record(
  {
    endpointId: id,
    networkId: id,
    address: anyAddress.filter((address) => parses(address)),
    address6: anyAddress.filter((address) => parses(address)),
    tenant: name,
    segment: name,
    sandbox: fc.constantFrom('/var/run/docker/netns/1e671e671e67', '/run/x/netns/ingress_sbox'),
  },
  { requiredKeys: ['endpointId', 'networkId', 'address', 'tenant', 'segment'] },
)

/** IPv4-mapped addresses have no text that is read back; a plan has none. */
function parses(address: Ip): boolean {
  try {
    return Ip.parse(address.toString()).equals(address)
  } catch {
    return false
  }
}

test('an alias says whose link it is', () => {
  expect(formatLinkAlias(ALIAS)).toBe('romana1 3fa4 9bd0 10.1.17.5 blue web')
})

test('an alias of two addresses says both', () => {
  expect(formatLinkAlias(TWO)).toBe('rm2 3fa4 9bd0 10.1.17.5 fd3a:1c55:9e02:1:1:1:0:5 blue web')
})

test('an alias says which container has it', () => {
  const sandbox = '/var/run/docker/netns/1e671e671e67'
  expect(formatLinkAlias({ ...ALIAS, sandbox })).toBe(
    'romana1 3fa4 9bd0 10.1.17.5 blue web /var/run/docker/netns/1e671e671e67',
  )
  expect(parseLinkAlias(formatLinkAlias({ ...TWO, sandbox }))).toEqual({ ...TWO, sandbox })
})

test.each([
  ['with a blank', '/var/run/my docker/netns/1e67'],
  ['with a quote', '/var/run/"/netns/1e67'],
  ['that is too long', `/${'x'.repeat(255)}`],
])('an alias leaves out a container name %s', (_what, sandbox) => {
  expect(formatLinkAlias({ ...ALIAS, sandbox })).toBe(formatLinkAlias(ALIAS))
})

test('an alias is read back as it was written', () => {
  fc.assert(
    fc.property(anyAlias, (alias) => {
      const { sandbox, ...others } = alias
      const text = formatLinkAlias(alias)
      const isKept = sandbox !== undefined && formatLinkAlias(others).length + sandbox.length < 255
      expect(parseLinkAlias(text)).toEqual(isKept ? alias : others)
    }),
  )
})

test('ids and names of full length and the longest addresses fit what the kernel keeps', () => {
  const alias = {
    endpointId: 'e'.repeat(64),
    networkId: 'n'.repeat(64),
    tenant: 't'.repeat(NAME_LIMIT),
    segment: 's'.repeat(NAME_LIMIT),
  }
  const address = Ip.parse('100.111.122.133')
  const address6 = Ip.parse('fd00:1111:2222:3333:4444:5555:6666:7777')
  const sandbox = '/var/run/docker/netns/1e671e671e67'
  expect(formatLinkAlias({ ...alias, address, sandbox })).toContain(sandbox)
  expect(formatLinkAlias({ ...alias, address: address6 }).length).toBeLessThanOrEqual(255)
  expect(formatLinkAlias({ ...alias, address, address6 }).length).toBeLessThanOrEqual(255)
})

test('an alias that the kernel would cut is refused', () => {
  expect(() => formatLinkAlias({ ...ALIAS, tenant: 't'.repeat(230) })).toThrow(
    'Cannot mark the link of endpoint "3fa4": its alias has 262 characters: the kernel keeps 255. ' +
      'Use shorter names for tenant and segment (E_HOST)',
  )
})

describe('an alias is not taken for ours when it is', () => {
  test.each([
    ['empty', ''],
    ["somebody's", 'uplink to rack 4'],
    ['of a version to come', 'romana2 3fa4 9bd0 10.1.17.5 blue web'],
    ['cut off', 'romana1 3fa4 9bd0 10.1.17.5 blue'],
    ['longer', 'romana1 3fa4 9bd0 10.1.17.5 blue web more'],
    ['with a path in the wrong place', 'romana1 3fa4 9bd0 10.1.17.5 /x web blue'],
    ['with a path too many', 'romana1 3fa4 9bd0 10.1.17.5 blue web /x /y'],
    ['with a hole', 'romana1 3fa4  10.1.17.5 blue web'],
    ['without an address', 'romana1 3fa4 9bd0 10.1.17 blue web'],
    ['with an address and a length', 'romana1 3fa4 9bd0 10.1.17.5/32 blue web'],
    ['of two addresses, cut off', 'rm2 3fa4 9bd0 10.1.17.5 fd00::5 blue'],
    ['of two addresses, with one', 'rm2 3fa4 9bd0 10.1.17.5 blue web'],
  ])('%s', (_what, alias) => {
    expect(parseLinkAlias(alias)).toBeUndefined()
  })
})
