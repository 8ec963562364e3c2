/**
 * Tells when others may have changed what is ours on this host. It decides nothing: a look at the host does. While containers
 * come and go it starts no program and tells nothing.
 */
import type { IptablesVariant } from './iptables-variant.ts'
import type { WantedRules } from './plan-firewall.ts'
import type { RunCommand, StartMonitor } from './processes.ts'
import { IP_MONITOR, readIpEvent } from './watch-ip.ts'
import { watchLegacy } from './watch-legacy.ts'
import { type KeptMonitorParts, keepMonitor } from './watch-monitor.ts'
import { NFT_MONITOR, readNftEvent } from './watch-nft.ts'
import { openWindow } from './watch-window.ts'

export interface WatchParts {
  readonly run: RunCommand
  readonly startMonitor: StartMonitor
  /** Told what was noticed, in words for the log. */
  readonly onChange: (what: readonly string[]) => void
  /** Told when a program that tells of changes has ended; it is started again. */
  readonly onTrouble: (text: string) => void
}

export interface HostWatch {
  /** Watches the host, which shall have these rules. Without any nothing is ours, and nothing is watched. */
  follow(wanted: WantedRules): void
  close(): void
}

const NO_RULES: WantedRules = {
  firewall: [],
  iptables: 'nft',
  forwarding: false,
  forwarding6: false,
  forwardClosed: [],
}

export function watchHost(parts: WatchParts): HostWatch {
  const window = openWindow(parts.onChange)
  const suspect = (what: string | undefined) => {
    if (what !== undefined) window.add({ kind: 'suspicion', suspicion: { what } })
  }
  const keep = (program: KeptMonitorParts['program'], onLine: (line: string) => void) =>
    keepMonitor({ start: parts.startMonitor, program, onLine, onListening: suspect, onEnd: parts.onTrouble })
  const watchIp = () =>
    keep(IP_MONITOR, (line) => {
      const event = readIpEvent(line)
      if (event !== undefined) window.add(event)
    })
  const watchRules = {
    nft: () => keep(NFT_MONITOR, (line) => suspect(readNftEvent(line))),
    legacy: () =>
      watchLegacy({ run: parts.run, wanted: () => rules, onChange: (what) => parts.onChange([what]) }),
  }
  let rules = NO_RULES
  let watched: IptablesVariant | undefined
  let watches: readonly { close(): void }[] = []
  function follow(wanted: WantedRules): void {
    rules = wanted
    const variant = wanted.firewall.length === 0 ? undefined : wanted.iptables
    if (variant === watched) return
    watched = variant
    for (const watch of watches) watch.close()
    watches = variant === undefined ? [] : [watchIp(), watchRules[variant]()]
  }
  return {
    follow,
    close() {
      follow(NO_RULES)
      window.close()
    },
  }
}
