import * as v from 'valibot'
import { expect, it } from 'vitest'
import { parsePlan } from '../../address/address-plan.ts'
import { staticRoutes } from '../../cluster/static-routes.ts'
import { HostRecord } from '../../store/host-records.ts'

function host(number: number, more: object): HostRecord {
  return v.parse(HostRecord, { number, name: `h${number}`, machineId: `m${number}`, ...more })
}

it('there is one route for each host that is there and whose address is known, by number', () => {
  const hosts = [
    host(12, { underlay: { address: '192.0.2.22' } }),
    host(2, { underlay: { address: '192.0.2.12' } }),
    host(3, { underlay: { address: '192.0.2.13' }, removed: true }),
    host(4, {}),
  ]
  const routes = staticRoutes(parsePlan('10.0.0.0/8 8/4/4/8'), hosts)
  expect(routes.map(({ host, name, prefix, via }) => `${host} ${name} ${prefix} ${via}`).join(', ')).toBe(
    '2 h2 10.2.0.0/16 192.0.2.12, 12 h12 10.12.0.0/16 192.0.2.22',
  )
})
