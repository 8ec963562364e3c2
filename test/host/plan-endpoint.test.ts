import { expect, test } from 'vitest'
import { Ip } from '../../address/ip.ts'
import { planEndpoint, planEndpointRemoval } from '../../host/plan-endpoint.ts'
import { addressLine } from '../../host/plan-host.ts'
import { makeFakeKernel } from '../support/fake-kernel.ts'
import { endpointOf, VAULT, WEB, wantedOf, wiringOf } from './host-fixtures.ts'
import { bringTo } from './lived-in-kernel.ts'

const WEB_1 = endpointOf(WEB, '10.1.17.5', 1)
const VAULT_2 = endpointOf(VAULT, '10.1.19.5', 2)

test('an endpoint is four lines: the pair, the host end up, the next hop, the route', () => {
  expect(planEndpoint({ ...wiringOf(WEB, WEB_1), mtu: 1400 }).join('\n')).toBe(
    [
      'link add name rmne1 mtu 1400 type veth peer name rmp1 mtu 1400',
      'link set dev rmne1 addrgenmode none alias "romana1 1 web 10.1.17.5 red web" up',
      'address add 10.1.17.1/32 dev rmne1',
      'route add 10.1.17.5/32 dev rmne1 table 8200 protocol 82',
    ].join('\n'),
  )
})

test('an endpoint of an internal network shows it in the name of its link', () => {
  expect(planEndpoint(wiringOf(VAULT, VAULT_2))[0]).toBe(
    'link add name rmni2 mtu 1500 type veth peer name rmp2 mtu 1500',
  )
})

test('the removal of an endpoint is one line', () => {
  expect(planEndpointRemoval('rmne1')).toEqual(['link delete dev rmne1'])
})

test('a next hop is an address of its own, without neighbours', () => {
  const lines = ['10.1.17.1', 'fd00::1'].map((address) =>
    addressLine({ link: 'rmne1', address: Ip.parse(address) }),
  )
  expect(lines).toEqual([
    'address add 10.1.17.1/32 dev rmne1',
    'address add fd00::1/128 dev rmne1 nodad noprefixroute',
  ])
})

test('what the hot path made is what the plan of the whole host wants', async () => {
  const kernel = makeFakeKernel()
  await bringTo(wantedOf([WEB, VAULT]), kernel)
  const before = kernel.show()
  await kernel.host.addEndpoint(wiringOf(WEB, WEB_1))
  await kernel.host.addEndpoint(wiringOf(VAULT, VAULT_2))
  expect(await bringTo(wantedOf([WEB, VAULT], [WEB_1, VAULT_2]), kernel)).toBe('')
  await kernel.host.removeEndpoint('rmne1')
  await kernel.host.removeEndpoint('rmni2')
  expect(kernel.show()).toBe(before)
})

test('an address that a container has through another link is never taken from it, and the second pair goes', async () => {
  const kernel = makeFakeKernel()
  await kernel.host.addEndpoint(wiringOf(WEB, WEB_1))
  const before = kernel.show()
  await expect(kernel.host.addEndpoint(wiringOf(WEB, endpointOf(WEB, '10.1.17.5', 2)))).rejects.toThrow(
    'Cannot run "ip route add 10.1.17.5/32 dev rmne2 table 8200 protocol 82": RTNETLINK answers: File exists (E_COMMAND)',
  )
  expect(kernel.show()).toBe(before)
})

test('a pair that is there already is neither wired anew nor removed', async () => {
  const kernel = makeFakeKernel()
  await kernel.host.addEndpoint(wiringOf(WEB, WEB_1))
  const before = kernel.show()
  await expect(kernel.host.addEndpoint(wiringOf(WEB, endpointOf(WEB, '10.1.17.9', 1)))).rejects.toThrow(
    'Cannot run "ip link add name rmne1 mtu 1500 type veth peer name rmp1 mtu 1500": RTNETLINK answers: File exists (E_COMMAND)',
  )
  expect(kernel.show()).toBe(before)
})

test.each([0, 1, 2, 3])('an endpoint whose making fails behind line %i leaves nothing', async (lines) => {
  const kernel = makeFakeKernel()
  kernel.failNext('ip', lines)
  await expect(kernel.host.addEndpoint(wiringOf(WEB, WEB_1))).rejects.toThrow('Operation not permitted')
  expect(kernel.show()).toBe('')
})

test('removing an endpoint that is gone is well', async () => {
  await makeFakeKernel().host.removeEndpoint('rmne1')
})

test('any other failure of a removal is told', async () => {
  const kernel = makeFakeKernel()
  await kernel.host.addEndpoint(wiringOf(WEB, WEB_1))
  kernel.failNext('ip')
  await expect(kernel.host.removeEndpoint('rmne1')).rejects.toThrow(
    'Cannot run "ip link delete dev rmne1": RTNETLINK answers: Operation not permitted (E_COMMAND)',
  )
})
