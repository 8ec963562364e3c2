/** Whether this host already uses addresses of the plan for something else. Pure. */
import { type AddressPlan, formatPlan } from '../address/address-plan.ts'
import { freePlan } from '../address/free-plan.ts'
import { RomanaError } from '../errors.ts'
import type { ObservedHost } from '../host/host-state.ts'

const SETTING = { 4: 'ROMANA_PLAN', 6: 'ROMANA_PLAN6' } as const

/**
 * Romana's routes go before the main table's: a LAN inside the plan would be cut off.
 * @throws RomanaError E_PLAN_OVERLAP, which names a plan that is free here.
 */
export function checkPlanIsFree(plan: AddressPlan, { foreignNetworks }: ObservedHost): void {
  // A default route is everywhere and means nothing here.
  const foreign = foreignNetworks.filter(({ cidr }) => cidr.prefixLength > 0)
  const overlaps = foreign.filter(({ cidr }) => cidr.overlaps(plan.cidr))
  if (overlaps.length === 0) return
  const free = freePlan(
    plan,
    foreign.map(({ cidr }) => cidr),
  )
  throw new RomanaError('E_PLAN_OVERLAP', {
    cannot: `use the address plan "${formatPlan(plan)}"`,
    because: `this host uses some of its addresses otherwise: ${overlaps.map(({ seenAs }) => seenAs).join(', ')}`,
    remedy:
      free === undefined
        ? 'Choose a plan that is free on every host'
        : `A plan that is free here: disable the plugin and set ${SETTING[plan.cidr.family]}="${formatPlan(free)}"`,
  })
}

/** @throws RomanaError E_HOST when the kernel of this host has no IPv6, or none for new links. */
export function checkHasIpv6({ forwarding6 }: ObservedHost): void {
  if (forwarding6 !== undefined) return
  throw new RomanaError('E_HOST', {
    cannot: 'make a network with IPv6',
    because: 'IPv6 is switched off on this host',
    remedy:
      'Type: sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0. Where there is no such setting, start the host without ipv6.disable=1',
  })
}
