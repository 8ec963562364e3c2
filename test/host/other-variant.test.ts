import { expect, test } from 'vitest'
import type { SeenTable } from '../../host/host-state.ts'
import type { IptablesVariant } from '../../host/iptables-variant.ts'
import { programName } from '../../host/iptables-variant.ts'
import { parseIptablesSave } from '../../host/parse-iptables.ts'
import { planFirewall } from '../../host/plan-firewall.ts'
import { WEB, wantedOf } from './host-fixtures.ts'

/** A table of ours in one variant, with a rule of others beside it. */
function leftIn(variant: IptablesVariant): SeenTable[] {
  const saved = `*filter
:INPUT ACCEPT [0:0]
:DOCKER-USER - [0:0]
:ROMANA-HOST - [0:0]
:ROMANA-INPUT - [0:0]
-A INPUT -j ROMANA-INPUT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A ROMANA-HOST -j DROP
-A ROMANA-INPUT -s 10.0.0.0/8 -j ROMANA-HOST
COMMIT
`
  return parseIptablesSave(saved, { variant, family: 4 })
}

function planOf(iptables: IptablesVariant, firewall: readonly SeenTable[], networks = [WEB]): string[] {
  const plan = planFirewall(
    { ...wantedOf(networks), iptables },
    { firewall, forwarding: true, forwarding6: true },
  )
  return plan.map(({ program, text }) => `${programName(program)}\n${text}`)
}

const REMOVAL = `*filter
:ROMANA-HOST - [0:0]
:ROMANA-INPUT - [0:0]
-D INPUT -j ROMANA-INPUT
-X ROMANA-HOST
-X ROMANA-INPUT
COMMIT
`

test.each([
  ['nft', 'legacy'],
  ['legacy', 'nft'],
] as const)('rules go into %s first and then, ours alone, from %s', (chosen, other) => {
  const [first, second, third, ...rest] = planOf(chosen, leftIn(other))
  expect(first).toMatch(new RegExp(`^iptables-${chosen}\n`))
  expect(second).toMatch(new RegExp(`^ip6tables-${chosen}\n`))
  expect(third).toBe(`iptables-${other}\n${REMOVAL}`)
  expect(rest).toEqual([])
})

test('the last network takes them from both', () => {
  expect(planOf('nft', [...leftIn('nft'), ...leftIn('legacy')], [])).toEqual([
    `iptables-nft\n${REMOVAL}`,
    `iptables-legacy\n${REMOVAL}`,
  ])
})
