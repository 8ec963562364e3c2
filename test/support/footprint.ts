/** What a host carries of Romana's, and what others have beside it, as text that can be compared. */
import type { LabHost } from '../../lab/lab-host.ts'

const OURS = /ROMANA-/

/** Rules of ours with what stands before our jumps, a policy that drops behind them, routes, policy rule, gateways, forwarding. */
export async function ownFootprint(host: LabHost): Promise<string> {
  const [rules, rules6, ip] = await Promise.all([
    savedRules(host, 'iptables-save'),
    savedRules(host, 'ip6tables-save'),
    host.runInside('sh', ['-c', SHOW_IP]),
  ])
  return [...ownRules(rules), ...ownRules(rules6), ip.stdout].join('\n')
}

/** The links' names, flags and IPv4 addresses, without what changes by itself. */
const SHOW_IP = [
  'ip -4 rule show priority 8200',
  'ip -4 route show table 8200 | sort',
  'ip -br link show up | grep -o "^rmn[^@]*" | sort',
  'ip -4 -br address show up | grep ^rmn | sort',
  'sysctl net.ipv4.ip_forward',
].join('; ')

/** Rules of others, in the order of each chain. */
export async function foreignRules(host: LabHost): Promise<string> {
  const rules = [...(await savedRules(host, 'iptables-save')), ...(await savedRules(host, 'ip6tables-save'))]
  return rules.filter((rule) => !OURS.test(rule)).join('\n')
}

/** "filter -A FORWARD -j DOCKER-USER", without counters, of the host's own iptables. */
async function savedRules(host: LabHost, program: 'iptables-save' | 'ip6tables-save'): Promise<string[]> {
  const { stdout } = await host.runInside(program, [])
  let table = ''
  return stdout.split('\n').flatMap((line) => {
    if (line.startsWith('*')) table = line.slice(1)
    const rule = line.replace(/^:FORWARD DROP .*/, '-P FORWARD DROP')
    return /^-[AP] /.test(rule) ? [`${program} ${table} ${rule}`] : []
  })
}

/** Of a chain with our jump, all up to it: what is before ours counts, except the person's own chain. */
function ownRules(all: readonly string[]): string[] {
  const rules = all.filter((rule) => !rule.endsWith(' -A FORWARD -j DOCKER-USER'))
  const isJump = (rule: string) => /-j ROMANA-/.test(rule) && !/-A ROMANA-/.test(rule)
  const chainOf = (rule: string) => rule.split(' ').slice(0, 4).join(' ')
  return rules.filter((rule, index) => {
    if (/-A ROMANA-/.test(rule) || rule.endsWith(' filter -P FORWARD DROP')) return true
    return rules.slice(index).some((later) => isJump(later) && chainOf(later) === chainOf(rule))
  })
}
