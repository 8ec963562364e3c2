/** The router of a world of several hosts. */
import type { Netns, NetnsSet } from '../support/netns.ts'

/** It forwards both families. */
export async function makeRouter(set: NetnsSet): Promise<Netns> {
  const router = await set.make('router')
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
  await router.run({ file: 'sysctl', args: ['-qw', ...forwarding] })
  return router
}

/** The link that hosts share, with the router on it: 198.18.1.0/24 and 2001:db8:1::/64. */
export async function openLan(router: Netns): Promise<void> {
  await router.ip(
    'link add lan type bridge',
    'link set lan up',
    'address add 198.18.1.1/24 dev lan',
    'address add 2001:db8:1::1/64 dev lan nodad',
  )
}
