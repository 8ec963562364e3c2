import { afterAll, beforeAll, expect, test } from 'vitest'
import { reasonOf } from '../../errors.ts'
import type { EndpointRecord } from '../../store/records.ts'
import { endpointOf, VAULT, WEB, wantedOf, wiringOf } from '../host/host-fixtures.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { type KernelHost, openKernelHost } from './kernel-host.ts'

const MANY = 200

const namespaces = makeNetnsSet()
let kernel: KernelHost
beforeAll(async () => {
  kernel = await openKernelHost(namespaces, 'nft')
  await kernel.bringTo(wantedOf([WEB]))
})
afterAll(() => namespaces.removeAll())

// No number serves two tests: `ip -batch` remembers the links that had a name before.
let lastLinkNumber = 0

function nextEndpoint(address: string): EndpointRecord {
  lastLinkNumber += 1
  return endpointOf(WEB, address, lastLinkNumber)
}

function hostLinkOf({ linkNumber }: EndpointRecord): string {
  return `rmne${linkNumber}`
}

async function add(endpoint: EndpointRecord): Promise<void> {
  await kernel.host.addEndpoint(wiringOf(WEB, endpoint))
}

async function remove(endpoint: EndpointRecord): Promise<void> {
  await kernel.host.removeEndpoint(hostLinkOf(endpoint))
}

async function ip(...args: string[]): Promise<string> {
  return kernel.netns.run({ file: 'ip', args })
}

test('an endpoint has a pair with its alias and MTU, the next hop, the route, and no link-local address', async () => {
  const endpoint = nextEndpoint('10.1.17.5')
  const link = hostLinkOf(endpoint)
  await kernel.host.addEndpoint({ ...wiringOf(WEB, endpoint), mtu: 1400 })
  const [seen] = (await kernel.host.observe()).links.filter(({ name }) => name === link)
  expect(seen).toEqual({
    name: link,
    alias: `romana1 ${endpoint.endpointId} web 10.1.17.5 red web`,
    linkAddress: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
    mtu: 1400,
    up: true,
    peerIsHere: true,
  })
  expect(await ip('-brief', 'address', 'show', 'dev', link)).toMatch(/^\S+ +\S+ +10\.1\.17\.1\/32 *$/)
  expect(await ip('route', 'get', '10.1.17.5')).toMatch(
    new RegExp(`^10\\.1\\.17\\.5 dev ${link} table 8200 src 10\\.1\\.17\\.1 `),
  )
  expect(await ip('link', 'show', 'dev', `rmp${endpoint.linkNumber}`)).toContain(' mtu 1400 ')
  await remove(endpoint)
})

test('what an endpoint got is what the plan of the whole host wants', async () => {
  const endpoint = nextEndpoint('10.1.17.5')
  const before = await kernel.show()
  await add(endpoint)
  expect(await kernel.bringTo(wantedOf([WEB, VAULT], [endpoint]))).toBe('')
  await remove(endpoint)
  expect(await kernel.show()).toBe(before)
})

test('an endpoint that is made twice is refused the second time and stays as it is', async () => {
  const endpoint = nextEndpoint('10.1.17.5')
  await add(endpoint)
  const before = await kernel.show()
  await expect(add({ ...endpoint, address: nextEndpoint('10.1.17.6').address })).rejects.toThrow(
    `Cannot run "ip link add name ${hostLinkOf(endpoint)} mtu 1500 type veth peer name rmp${endpoint.linkNumber} mtu 1500": ` +
      'RTNETLINK answers: File exists (E_COMMAND)',
  )
  expect(await kernel.show()).toBe(before)
  await remove(endpoint)
})

test('an endpoint may be removed twice, and one that never was', async () => {
  const endpoint = nextEndpoint('10.1.17.5')
  await add(endpoint)
  await remove(endpoint)
  const before = await kernel.show()
  await remove(endpoint)
  await remove(nextEndpoint('10.1.17.5'))
  expect(await kernel.show()).toBe(before)
})

test('an address that another link has stays there: the second endpoint is refused and leaves nothing', async () => {
  const first = nextEndpoint('10.1.17.5')
  const second = nextEndpoint('10.1.17.5')
  await add(first)
  const before = await kernel.show()
  await expect(add(second)).rejects.toThrow(
    `Cannot run "ip route add 10.1.17.5/32 dev ${hostLinkOf(second)} table 8200 protocol 82": ` +
      'RTNETLINK answers: File exists (E_COMMAND)',
  )
  expect(await kernel.show()).toBe(before)
  await remove(first)
})

test('when ip is killed at work, those that wait are told so, and the next endpoint is made', async () => {
  const endpoints = Array.from({ length: 50 }, (_, index) => nextEndpoint(`10.1.17.${2 + index}`))
  await Promise.all(endpoints.slice(0, 1).map(add))
  const outcomes = endpoints.slice(1).map((endpoint) => add(endpoint).then(() => 'made', reasonOf))
  kernel.batches.at(0)?.kill()
  const failures = (await Promise.all(outcomes)).filter((outcome) => outcome !== 'made')
  expect(failures.length).toBeGreaterThan(0)
  expect([...new Set(failures)].join('\n')).toMatch(
    /^Cannot run "ip -batch": Command was killed with SIGKILL .*\(E_COMMAND\)$/,
  )
  const next = nextEndpoint('10.1.17.100')
  await add(next)
  expect(await ip('route', 'get', '10.1.17.100')).toContain(`dev ${hostLinkOf(next)} `)
  await Promise.all([...endpoints, next].map(remove))
  expect(await kernel.bringTo(wantedOf([WEB]))).toBe('')
})

// The last one: its links go with the namespace, which is faster.
test(`${MANY} endpoints are made side by side, each with what is its own, and a duplicate among them fails alone`, async () => {
  const endpoints = Array.from({ length: MANY }, (_, index) => nextEndpoint(`10.1.17.${2 + index}`))
  const duplicate = nextEndpoint('10.1.17.100')
  const [outcome] = await Promise.all([
    add(endpoints[0] ?? duplicate)
      .then(() => add(duplicate))
      .then(() => 'made', reasonOf),
    ...endpoints.slice(1).map(add),
  ])
  expect(outcome).toBe(
    `Cannot run "ip route add 10.1.17.100/32 dev ${hostLinkOf(duplicate)} table 8200 protocol 82": ` +
      'RTNETLINK answers: File exists (E_COMMAND)',
  )
  expect(await kernel.bringTo(wantedOf([WEB], endpoints))).toBe('')
  const { links, ownRoutes } = await kernel.host.observe()
  expect(links.filter(({ name }) => name.startsWith('rmne'))).toHaveLength(MANY)
  expect(ownRoutes.filter(({ kind }) => kind === 'link')).toHaveLength(MANY)
})
