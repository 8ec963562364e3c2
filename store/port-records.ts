/** The records of published ports. Pure. */
import * as v from 'valibot'
import { EndpointIdSchema } from './ids.ts'
import { ipText } from './records.ts'

export const PORT_PROTOCOLS = ['tcp', 'udp', 'sctp'] as const
export type PortProtocol = (typeof PORT_PROTOCOLS)[number]

export const PortNumberSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535))

/** One port of this host and the port of a container that is reached by it. */
export const PublishedPort = v.object({
  protocol: v.picklist(PORT_PROTOCOLS),
  /** An address of this host; 0.0.0.0 or :: for all of them of its family. */
  hostAddress: ipText,
  hostPort: PortNumberSchema,
  containerPort: PortNumberSchema,
})
export type PublishedPort = v.InferOutput<typeof PublishedPort>

/**
 * Journal. What an endpoint publishes, in the order in which the engine named it. One record for all of it: a range can
 * have more ports than a transaction may have changes.
 */
export const EndpointPortsRecord = v.object({
  endpointId: EndpointIdSchema,
  ports: v.array(PublishedPort),
})
export type EndpointPortsRecord = v.InferOutput<typeof EndpointPortsRecord>
