/** What is said to an agent, and what it says. */
import * as v from 'valibot'

export const PROTOCOLS = ['icmp', 'tcp', 'udp'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export const ProbeRequest = v.object({
  id: v.number(),
  protocol: v.picklist(PROTOCOLS),
  /** The source address; the kernel chooses one when it is absent. */
  from: v.optional(v.string()),
  to: v.string(),
  port: v.number(),
})
export type ProbeRequest = v.InferOutput<typeof ProbeRequest>

export const ProbeAnswer = v.object({ id: v.number(), answer: v.string() })
export type ProbeAnswer = v.InferOutput<typeof ProbeAnswer>
