/**
 * What marks a thing of the kernel as Romana's. Nothing without one of these marks is ever changed or removed.
 * Chosen once: after a release they cannot change, since an upgraded plugin finds its own things by them.
 */

/** The routing table with all of Romana's routes. Above 255, so that no distribution names it. */
export const ROUTE_TABLE = 8200

/** The protocol number of Romana's routes and policy rules. Not in iproute2's rt_protos. */
export const ROUTE_PROTOCOL = 82

/** The priority of the policy rule that leads to {@link ROUTE_TABLE}: before main (32766). */
export const POLICY_RULE_PRIORITY = 8200

/**
 * Classes of endpoints that need firewall rules of their own. The class is the letter behind {@link HOST_LINK_PREFIX},
 * so that one rule with an interface wildcard serves all links of a class.
 */
export const LINK_CLASSES = { routed: 'e', internal: 'i' } as const
export type LinkClass = keyof typeof LINK_CLASSES

/** Host end of a veth pair: "rmne12" for a routed endpoint, "rmni13" for one of an internal network. */
export const HOST_LINK_PREFIX = 'rmn'

/** In rules: every host link, those that lead somewhere, and those of internal networks. */
export const ANY_ENDPOINT = `${HOST_LINK_PREFIX}+`
export const ANY_ROUTED = `${HOST_LINK_PREFIX}${LINK_CLASSES.routed}+`
export const ANY_INTERNAL = `${HOST_LINK_PREFIX}${LINK_CLASSES.internal}+`

/** Container end of a veth pair, while it is in the host's namespace: "rmp12". */
export const CONTAINER_LINK_PREFIX = 'rmp'

/** All chains of Romana begin with this. */
export const CHAIN_PREFIX = 'ROMANA-'

/** The chain that Docker keeps for the person of the host. Its jump is the one thing that may stand before ours. */
export const PERSONS_CHAIN = 'DOCKER-USER'

/** The sets (ipset) of the other hosts' addresses. */
export const HOST_SETS = { 4: 'ROMANA-HOSTS', 6: 'ROMANA-HOSTS6' } as const

/** Longest name of a link: IFNAMSIZ less the closing zero (include/uapi/linux/if.h). */
export const LINK_NAME_LIMIT = 15
