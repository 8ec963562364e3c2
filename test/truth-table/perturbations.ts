/** What happens to a host while its table must stay true. */
import type { LabHost } from '../../lab/lab-host.ts'
import { applyPolicies, typeRomana } from '../support/romana-cluster.ts'
import { PLUGIN, startIdle } from '../support/romana-host.ts'
import type { Sentence } from './oracle.ts'
import type { TruthLab } from './truth-lab.ts'
import { createTruthNetwork } from './truth-members.ts'

export interface Perturbation {
  readonly what: string
  /** On the first host, or by the whole lab. */
  readonly act: (host: LabHost, truthLab: TruthLab) => Promise<void>
  /**
   * Whose forbidden packets may come through meanwhile. Docker lets its bridges out to everywhere, to the plan too while our rules
   * are not there or, when it starts, behind its own; where all rules are taken away, or somebody lets all pass, everybody's do, until they are back.
   */
  readonly leaks: 'nobody' | 'bridges' | 'everybody'
  /** What holds from now on, before all other sentences, until it is undone. */
  readonly rule?: { readonly sentences: readonly Sentence[]; readonly undo: (host: LabHost) => Promise<void> }
}

/** Of blue-db, by a policy that says no to all others. */
const POLICY: readonly Sentence[] = [
  {
    says: 'blue-db hears blue-web by TCP, its own host, and nobody else',
    judge({ from, to, probe }) {
      if (to.place.network?.name !== 'blue-db' || from.kind === 'host') return undefined
      if (from.network?.name === 'blue-web') return probe === 'tcp' ? 'reached' : 'dropped'
      return from.network?.name === 'blue-db' ? 'dropped' : undefined
    },
  },
]
const DB_FROM_WEB = {
  name: 'db-from-web',
  direction: 'ingress',
  appliesTo: [{ tenant: 'blue', segment: 'db' }],
  default: 'deny',
  peers: [{ tenant: 'blue', segment: 'web' }],
  rules: [{ protocol: 'tcp', ports: [7400] }],
}

const SILENCE: readonly Sentence[] = [
  {
    says: 'green-web calls nobody',
    judge: ({ from }) => (from.network?.name === 'green-web' ? 'dropped' : undefined),
  },
]
const GREEN_IS_SILENT = {
  name: 'green-is-silent',
  direction: 'egress',
  appliesTo: [{ tenant: 'green', segment: 'web' }],
  default: 'deny',
}

/** Somebody of this host types a line. */
function typed(what: string, line: string, leaks: Perturbation['leaks'] = 'nobody'): Perturbation {
  return { what, leaks, act: async (host) => void (await host.runInside('sh', ['-c', line])) }
}

/** One is applied, and removed again. */
function policy(
  what: string,
  applied: { readonly name: string },
  sentences: readonly Sentence[],
): Perturbation {
  return {
    what,
    leaks: 'nobody',
    act: (host) => applyPolicies(host, { policies: [applied] }),
    rule: { sentences, undo: (host) => removePolicy(host, applied) },
  }
}

async function removePolicy(host: LabHost, { name }: { readonly name: string }): Promise<void> {
  await typeRomana(host, `policy remove ${name}`)
}

const OTHERS = 'iptables-restore < /root/rules; ip6tables-restore < /root/rules6'

/** To be done once, before those that flush what is Docker's too. */
export async function saveRules(host: LabHost): Promise<void> {
  await host.runInside('sh', ['-c', 'iptables-save > /root/rules; ip6tables-save > /root/rules6'])
}

export const PERTURBATIONS: readonly Perturbation[] = [
  typed('our forward chain is flushed', 'iptables -F ROMANA-FORWARD', 'bridges'),
  typed('our IPv6 forward chain is flushed', 'ip6tables -F ROMANA-FORWARD', 'bridges'),
  typed('our jump is deleted', 'iptables -D FORWARD -j ROMANA-FORWARD', 'bridges'),
  typed('one rule is deleted', 'iptables -D ROMANA-FORWARD 1', 'bridges'),
  typed('the check of sources is flushed', 'iptables -t raw -F ROMANA-PREROUTING'),
  typed('the check of IPv6 sources is flushed', 'ip6tables -t raw -F ROMANA-PREROUTING'),
  typed('what comes to the host is not judged', 'iptables -D INPUT -j ROMANA-INPUT'),
  typed('what comes to the host by IPv6 is not judged', 'ip6tables -F ROMANA-INPUT'),
  typed('the raw table is flushed', `iptables -t raw -F; ${OTHERS}`),
  typed('the nat table is flushed', `iptables -t nat -F; ${OTHERS}`),
  typed(
    'our IPv6 jump is put last',
    'ip6tables -D FORWARD -j ROMANA-FORWARD; ip6tables -A FORWARD -j ROMANA-FORWARD',
    'bridges',
  ),
  typed('masquerading is flushed', 'iptables -t nat -F ROMANA-POSTROUTING'),
  typed('the filter table is flushed', `iptables -F; ${OTHERS}`, 'bridges'),
  typed(
    'a rule that lets all pass is put above ours',
    `${above('-I')}; sleep 1; ${above('-D')}`,
    'everybody',
  ),
  typed('all rules are flushed', `nft flush ruleset; sleep 1; ${OTHERS}`, 'everybody'),
  typed('FORWARD accepts by its policy', 'iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT'),
  typed('our routes are flushed', 'ip route flush table 8200; ip -6 route flush table 8200'),
  typed('the policy rules are deleted', 'ip rule delete priority 8200; ip -6 rule delete priority 8200'),
  typed('forwarding is switched off', 'sysctl -qw net.ipv4.ip_forward=0'),
  typed('IPv6 forwarding is switched off', 'sysctl -qw net.ipv6.conf.all.forwarding=0'),
  typed(
    'a gateway is deleted',
    'ip address delete 10.1.17.1/32 dev $(ip -o route get 10.1.17.2 | grep -o "rmne[0-9]*")',
  ),
  typed(
    'a link of a container is set down',
    'ip link set $(ip -o route get 10.1.17.2 | grep -o "rmne[0-9]*") down',
  ),
  typed('neighbours are forgotten', 'ip neigh flush all'),
  typed('flows are forgotten', 'conntrack -F'),
  typed('reverse paths are checked loosely', 'sysctl -qw net.ipv4.conf.all.rp_filter=2'),
  typed('the plugin is killed', "pkill -KILL -f '[r]omana/plugin.js'"),
  policy('a policy is applied, and removed', DB_FROM_WEB, POLICY),
  policy('a segment may reach nobody, and may again', GREEN_IS_SILENT, SILENCE),
  {
    what: 'a container is restarted',
    leaks: 'nobody',
    act: async (host) => void (await host.docker(['restart', 'blue-db-2'])),
  },
  {
    what: 'a container is killed and starts again',
    leaks: 'nobody',
    async act(host) {
      await host.docker(['kill', 'grey-db-2'])
      await host.docker(['start', 'grey-db-2'])
    },
  },
  {
    what: 'a container leaves its network and comes back',
    leaks: 'nobody',
    async act(host) {
      await host.docker(['network', 'disconnect', 'grey-web', 'grey-web-2'])
      await host.docker(['network', 'connect', 'grey-web', 'grey-web-2'])
    },
  },
  {
    what: 'a container on a bridge of Docker comes',
    leaks: 'nobody',
    act: (host) => startIdle(host, 'lan-3', 'lan'),
  },
  {
    what: 'a container moves to another tenant',
    leaks: 'nobody',
    async act(host) {
      await host.docker(['rm', '--force', 'green-db-2'])
      await startIdle(host, 'green-db-2', 'blue-web')
    },
  },
  {
    what: 'a tenant comes',
    leaks: 'nobody',
    async act(host) {
      await createTruthNetwork(host, 'violet', 'web')
      for (const number of [1, 2]) await startIdle(host, `violet-web-${number}`, 'violet-web')
    },
  },
  {
    what: 'a tenant goes',
    leaks: 'nobody',
    async act(host) {
      await host.docker(['rm', '--force', 'red-web-1', 'red-web-2'])
      await host.docker(['network', 'rm', 'red-web'])
    },
  },
  {
    what: 'the plugin is disabled and enabled',
    leaks: 'nobody',
    async act(host) {
      await host.docker(['plugin', 'disable', '--force', PLUGIN])
      await host.docker(['plugin', 'enable', PLUGIN])
    },
  },
  { what: 'the engine is restarted', leaks: 'bridges', act: (host) => host.restartEngine() },
  {
    what: 'the engine is killed',
    leaks: 'bridges',
    act: (host) => host.restartEngine({ signal: 'SIGKILL' }),
  },
]

/** The directory has grown, and the policies of before hold for the new host and its containers too. */
export const HOST_JOINS: Perturbation = {
  what: 'a host joins where a policy holds',
  leaks: 'nobody',
  async act(host, truthLab) {
    await applyPolicies(host, { policies: [DB_FROM_WEB] })
    await truthLab.join()
  },
  rule: { sentences: POLICY, undo: (host) => removePolicy(host, DB_FROM_WEB) },
}

function above(verb: '-I' | '-D'): string {
  const rule = 'FORWARD -m comment --comment all -j ACCEPT'
  return [`iptables ${verb} ${rule}`, `ip6tables ${verb} ${rule}`].join('; ')
}
