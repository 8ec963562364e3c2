import * as v from 'valibot'
import { expect, it } from 'vitest'
import type { Plans } from '../../address/address-plan.ts'
import { staticRoutes } from '../../cluster/static-routes.ts'
import { HostRecord } from '../../store/host-records.ts'
import { BOTH_PLANS, PLANS } from '../host/host-fixtures.ts'

function host(number: number, more: object): HostRecord {
  return v.parse(HostRecord, { number, name: `h${number}`, machineId: `m${number}`, ...more })
}

function show(plans: Plans, hosts: readonly HostRecord[]): string {
  const routes = staticRoutes(plans, hosts)
  return routes.map(({ host, name, prefix, via }) => `${host} ${name} ${prefix} ${via}`).join(', ')
}

it('there is one route for each host that is there and whose address is known, by number', () => {
  const hosts = [
    host(12, { underlay: { address: '192.0.2.22' } }),
    host(2, { underlay: { address: '192.0.2.12' } }),
    host(3, { underlay: { address: '192.0.2.13' }, removed: true }),
    host(4, {}),
  ]
  expect(show(PLANS, hosts)).toBe('2 h2 10.2.0.0/16 192.0.2.12, 12 h12 10.12.0.0/16 192.0.2.22')
})

it('there is one for IPv6 too to hosts that a router reaches over IPv6', () => {
  const hosts = [
    host(2, { underlay: { address: '192.0.2.12', globalAddress6: '2001:db8::12' } }),
    host(3, { underlay: { address: '192.0.2.13', address6: 'fe80::13' } }),
  ]
  expect(show(BOTH_PLANS, hosts)).toBe(
    '2 h2 10.2.0.0/16 192.0.2.12, 3 h3 10.3.0.0/16 192.0.2.13, 2 h2 fd3a:1c55:9e02:2::/64 2001:db8::12',
  )
})
