/** What is said to an agent, and what it says. */
import * as v from 'valibot'

export const PROTOCOLS = ['icmp', 'tcp', 'udp'] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** Every agent sends back what it gets on this TCP port. */
export const ECHO_PORT = 7002

export const ProbeRequest = v.object({
  id: v.number(),
  /** A transfer: 64 KiB there and back, to a port that leads to {@link ECHO_PORT}. */
  protocol: v.picklist([...PROTOCOLS, 'transfer']),
  /** The source address; the kernel chooses one when it is absent. */
  from: v.optional(v.string()),
  to: v.string(),
  port: v.number(),
})
export type ProbeRequest = v.InferOutput<typeof ProbeRequest>

export const ProbeAnswer = v.object({ id: v.number(), answer: v.string() })
export type ProbeAnswer = v.InferOutput<typeof ProbeAnswer>
