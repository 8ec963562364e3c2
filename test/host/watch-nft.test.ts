import { describe, expect, test } from 'vitest'
import { readNftEvent } from '../../host/watch-nft.ts'

// The lines are what nft 1.0.6 printed, of rules that iptables-nft and Docker made.

const COUNTER = '{"counter": {"packets": 0, "bytes": 0}}'

function rule(verb: string, chain: string, ...expressions: readonly string[]): string {
  const [family, table, name] = chain.split(' ')
  return `{"${verb}": {"rule": {"family": "${family}", "table": "${table}", "chain": "${name}", "handle": 40, "expr": [${expressions.join(', ')}]}}}`
}

function jump(target: string): string {
  return `{"jump": {"target": "${target}"}}`
}

function forwardPolicy(policy: string): string {
  return `{"add": {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "handle": 1, "type": "filter", "hook": "forward", "prio": 0, "policy": "${policy}"}}}`
}

const ACCEPT = '{"accept": null}'
const MASQUERADE = '{"masquerade": null}'
const RPFILTER = '{"xt": {"type": "match", "name": "rpfilter"}}'
const FROM =
  '{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "9.9.9.2"}}'

describe('others may have done something to our rules with', () => {
  test.each([
    ['delete rule ip filter ROMANA-HOST', rule('delete', 'ip filter ROMANA-HOST', COUNTER, '{"drop": null}')],
    ['delete rule ip raw ROMANA-PREROUTING', rule('delete', 'ip raw ROMANA-PREROUTING', RPFILTER, COUNTER)],
    ['add rule ip filter ROMANA-FORWARD', rule('add', 'ip filter ROMANA-FORWARD', FROM, COUNTER, ACCEPT)],
    ['insert rule ip filter ROMANA-INPUT', rule('insert', 'ip filter ROMANA-INPUT', COUNTER, ACCEPT)],
    ['delete rule ip filter INPUT', rule('delete', 'ip filter INPUT', COUNTER, jump('ROMANA-INPUT'))],
    ['delete rule ip6 raw PREROUTING', rule('delete', 'ip6 raw PREROUTING', jump('ROMANA-PREROUTING'))],
    ['insert rule ip filter FORWARD', rule('insert', 'ip filter FORWARD', FROM, COUNTER, ACCEPT)],
    ['insert rule ip nat POSTROUTING', rule('insert', 'ip nat POSTROUTING', COUNTER, ACCEPT)],
    // What is replaced is told as deleted and added; what is added behind a given rule, as added.
    ['delete rule ip filter FORWARD', rule('delete', 'ip filter FORWARD', COUNTER, jump('DOCKER-USER'))],
    ['add rule ip filter FORWARD', rule('add', 'ip filter FORWARD', COUNTER, ACCEPT)],
    ['add rule ip6 filter INPUT', rule('add', 'ip6 filter INPUT', COUNTER, ACCEPT)],
    ['add rule ip nat PREROUTING', rule('add', 'ip nat PREROUTING', COUNTER, ACCEPT)],
    ['delete rule ip nat OUTPUT', rule('delete', 'ip nat OUTPUT', COUNTER, jump('DOCKER-USER'))],
    ['delete rule ip raw PREROUTING', rule('delete', 'ip raw PREROUTING', COUNTER, jump('DOCKER-USER'))],
    [
      'delete chain ip nat ROMANA-POSTROUTING',
      '{"delete": {"chain": {"family": "ip", "table": "nat", "name": "ROMANA-POSTROUTING", "handle": 9}}}',
    ],
    ['add chain ip filter FORWARD', forwardPolicy('accept')],
    ['# ERROR: We lost some netlink events!', '# ERROR: We lost some netlink events!'],
  ])('%s', (expected, line) => {
    expect(readNftEvent(line)).toBe(expected)
  })
})

const INET_TABLE = '"family": "inet", "table": "filter"'

describe('nothing is said of', () => {
  test.each([
    ['FORWARD, whose policy is to drop', forwardPolicy('drop')],
    ['our own jump', rule('insert', 'ip filter FORWARD', COUNTER, jump('ROMANA-FORWARD'))],
    ['a rule that Docker appends for a container', rule('add', 'ip raw PREROUTING', FROM, COUNTER)],
    ['a rule that Docker deletes for a container', rule('delete', 'ip raw PREROUTING', FROM, COUNTER)],
    ['a rule in a chain of Docker', rule('insert', 'ip filter DOCKER', FROM, COUNTER, ACCEPT)],
    ['a port that Docker publishes', rule('add', 'ip nat POSTROUTING', FROM, COUNTER, MASQUERADE)],
    ['a port that is published no more', rule('delete', 'ip nat POSTROUTING', FROM, COUNTER, MASQUERADE)],
    ['a rule of a chain without ours', rule('insert', 'ip filter OUTPUT', FROM, COUNTER, ACCEPT)],
    ['a rule of another chain', rule('insert', 'ip filter MINE', COUNTER, jump('DOCKER'))],
    ['a rule of a table that is not of iptables', rule('insert', 'inet filter FORWARD', FROM, ACCEPT)],
    ['a rule of another table of iptables', rule('insert', 'ip mangle FORWARD', FROM, ACCEPT)],
    [
      'a chain named like ours elsewhere',
      `{"add": {"chain": {${INET_TABLE}, "name": "ROMANA-X", "handle": 1}}}`,
    ],
    [
      'a chain of Docker',
      '{"add": {"chain": {"family": "ip", "table": "nat", "name": "DOCKER", "handle": 1}}}',
    ],
    [
      'an element of a set',
      `{"add": {"element": {${INET_TABLE}, "name": "s", "elem": {"set": ["1.1.1.1"]}}}}`,
    ],
    ['a table', '{"add": {"table": {"family": "ip", "name": "nat", "handle": 1}}}'],
    ['an empty line', ''],
  ])('%s', (_what, line) => {
    expect(readNftEvent(line)).toBeUndefined()
  })
})
