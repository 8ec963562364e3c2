import { describe, expect, it } from 'vitest'
import { formatPlan } from '../../address/address-plan.ts'
import { PATHS, readConfig } from '../../plugin/config.ts'

describe('the settings', () => {
  it.each([
    ['none', {}],
    [
      'empty ones, as config.json has them',
      {
        ROMANA_PLAN: '',
        ROMANA_PLAN6: ' ',
        ROMANA_PLAIN_NAME: '',
        ROMANA_CREATE_SEGMENTS: '',
        ROMANA_UPLINKS: '',
        ROMANA_IPTABLES: '',
        ROMANA_SEGMENT_MATCH: '',
        ROMANA_HOST_ACCESS: '',
        ROMANA_LOG_LEVEL: '',
      },
    ],
    ['unknown ones', { ROMANA_COLOUR: 'blue' }],
  ])('are the defaults for %s', (_what, environment) => {
    expect(readConfig(environment)).toEqual({
      plan: undefined,
      plan6: undefined,
      plainName: true,
      createSegments: true,
      masquerade: true,
      uplinks: undefined,
      isHostOpen: false,
      iptables: 'auto',
      segmentMatch: 'auto',
      etcd: undefined,
      underlayAddress: undefined,
      engineSocket: undefined,
      logLevel: 'info',
      paths: PATHS,
    })
  })

  it('say which plans', () => {
    const { plan, plan6 } = readConfig({
      ROMANA_PLAN: ' 172.16.0.0/12 4/4/4/8 ',
      ROMANA_PLAN6: 'fd00::/48 16/16/16/32',
    })
    expect([plan, plan6].map((given) => given && formatPlan(given)).join(', ')).toBe(
      '172.16.0.0/12 4/4/4/8, fd00::/48 16/16/16/32',
    )
  })

  it.each<[string, string, object]>([
    ['ROMANA_PLAIN_NAME', 'off', { plainName: false }],
    ['ROMANA_PLAIN_NAME', 'on', { plainName: true }],
    ['ROMANA_CREATE_SEGMENTS', 'off', { createSegments: false }],
    ['ROMANA_CREATE_SEGMENTS', 'on', { createSegments: true }],
    ['ROMANA_UPLINKS', 'eth0', { uplinks: ['eth0'] }],
    ['ROMANA_UPLINKS', ' eth0 , bond0.17, wg-a_b@1 ', { uplinks: ['eth0', 'bond0.17', 'wg-a_b@1'] }],
    ['ROMANA_MASQUERADE', 'off', { masquerade: false }],
    ['ROMANA_MASQUERADE', 'on', { masquerade: true }],
    ['ROMANA_ENGINE_SOCKET', '/run/docker.sock', { engineSocket: '/host/run/docker.sock' }],
    ['ROMANA_ENGINE_SOCKET', '/var/run/docker.sock', { engineSocket: '/host/run/docker.sock' }],
    ['ROMANA_IPTABLES', 'auto', { iptables: 'auto' }],
    ['ROMANA_IPTABLES', 'nft', { iptables: 'nft' }],
    ['ROMANA_IPTABLES', 'legacy', { iptables: 'legacy' }],
    ['ROMANA_SEGMENT_MATCH', 'auto', { segmentMatch: 'auto' }],
    ['ROMANA_SEGMENT_MATCH', 'bpf', { segmentMatch: 'bpf' }],
    ['ROMANA_SEGMENT_MATCH', 'masks', { segmentMatch: 'masks' }],
    ['ROMANA_HOST_ACCESS', 'open', { isHostOpen: true }],
    ['ROMANA_HOST_ACCESS', 'closed', { isHostOpen: false }],
    ...['trace', 'debug', 'info', 'warn', 'error'].map((level): [string, string, object] => [
      'ROMANA_LOG_LEVEL',
      level,
      { logLevel: level },
    ]),
  ])('%s=%s is understood', (name, value, part) => {
    expect(readConfig({ [name]: value })).toMatchObject(part)
  })

  it.each([
    [
      'ROMANA_PLAN',
      'all of it',
      'Cannot use the address plan "all of it": it is not a CIDR and the four widths host/tenant/segment/endpoint. Write it like "10.0.0.0/8 8/4/4/8" (E_PLAN)',
    ],
    [
      'ROMANA_PLAN',
      '10.0.0.0/8 8/4/4/9',
      'Cannot use the address plan "10.0.0.0/8 8/4/4/9": prefix and widths must add up to 32 bits: they add up to 33. Write it like "10.0.0.0/8 8/4/4/8" (E_PLAN)',
    ],
    [
      'ROMANA_PLAN',
      '10.1.0.0/8 8/4/4/8',
      'Cannot use "10.1.0.0/8" as a network: bits behind the prefix are set: the network is 10.0.0.0/8 (E_ADDRESS)',
    ],
    ['ROMANA_PLAN', 'fd00::/48 16/16/16/32', 'it is not an IPv4 plan'],
    ['ROMANA_PLAN6', '10.0.0.0/8 8/4/4/8', 'it is not an IPv6 plan'],
    ['ROMANA_PLAIN_NAME', 'yes', '"yes" is none of on, off'],
    ['ROMANA_CREATE_SEGMENTS', 'no', '"no" is none of on, off'],
    ['ROMANA_UPLINKS', 'eth0,', '"" is not the name of a link'],
    ['ROMANA_UPLINKS', 'eth0 -j ACCEPT', '"eth0 -j ACCEPT" is not the name of a link'],
    ['ROMANA_UPLINKS', '-j', '"-j" is not the name of a link'],
    ['ROMANA_UPLINKS', 'eth+', '"eth+" is not the name of a link'],
    ['ROMANA_UPLINKS', 'a234567890123456', '"a234567890123456" is not the name of a link'],
    ['ROMANA_IPTABLES', 'nftables', '"nftables" is none of auto, nft, legacy'],
    ['ROMANA_SEGMENT_MATCH', 'u32', '"u32" is none of auto, bpf, masks'],
    ['ROMANA_HOST_ACCESS', 'on', '"on" is none of closed, open'],
    ['ROMANA_LOG_LEVEL', 'INFO', '"INFO" is none of trace, debug, info, warn, error'],
  ])('%s=%s is refused', (name, value, problem) => {
    expect(() => readConfig({ [name]: value })).toThrow(
      `Cannot use the settings of the plugin: ${name}: ${problem}. Disable the plugin, correct them with docker plugin set, and enable it (E_CONFIG)`,
    )
  })

  it('are refused with all that is wrong in one message', () => {
    const environment = {
      ROMANA_LOG_LEVEL: 'loud',
      ROMANA_UPLINKS: 'a b',
      ROMANA_IPTABLES: 'x',
      ROMANA_PLAIN_NAME: 'on',
    }
    expect(() => readConfig(environment)).toThrow(
      'Cannot use the settings of the plugin: ROMANA_UPLINKS: "a b" is not the name of a link; ROMANA_IPTABLES: "x" is none of auto, nft, legacy; ROMANA_LOG_LEVEL: "loud" is none of trace, debug, info, warn, error. Disable',
    )
  })
})
