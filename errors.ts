/**
 * Every error Romana can return. Docker prints the message to the person who typed the command, so it says what was
 * tried, on what, why it failed and what to do. `docs/errors.md` mirrors this table; a test keeps them equal.
 *
 * `status` is the HTTP status of the answer. 404 is never used: libnetwork reads it as "method not implemented".
 */
export const ERRORS = {
  E_REQUEST: { status: 400, meaning: 'A request could not be read' },
  E_METHOD: { status: 404, meaning: 'A method was called that Romana does not have' },
  E_NOT_READY: { status: 500, meaning: 'The plugin has not finished its recovery, or its recovery failed' },
  E_CONFIG: { status: 500, meaning: 'A setting of the plugin is wrong' },
  E_PLAN: { status: 500, meaning: 'An address plan cannot be used' },
  E_PLAN_OVERLAP: {
    status: 500,
    meaning: 'The address plan overlaps an address, route or nameserver of this host',
  },
  E_PLAN_CHANGED: { status: 500, meaning: 'The address plan of the setting is not the recorded one' },
  E_NUMBER: { status: 500, meaning: 'A host, tenant, segment or endpoint number does not fit its field' },
  E_ADDRESS: { status: 500, meaning: 'A text is not an IP address or CIDR' },
  E_NAME: { status: 500, meaning: 'A tenant or segment name is not allowed' },
  E_OPTION: { status: 500, meaning: 'An option of docker network create is unknown or not possible' },
  E_IPAM_PAIR: { status: 500, meaning: 'A Romana network was made without the Romana IPAM driver' },
  E_SUBNET: { status: 500, meaning: 'The subnet asked for is not the cell of the segment on this host' },
  E_TENANTS_FULL: { status: 500, meaning: 'All tenant or segment numbers of the plan are taken' },
  E_SEGMENT_UNKNOWN: { status: 500, meaning: 'A tenant or segment that is named does not exist' },
  E_SEGMENT_EXISTS: { status: 500, meaning: 'A tenant or segment that was to be made is there already' },
  E_SEGMENT_IN_USE: { status: 500, meaning: 'A tenant or segment that was to be removed is in use' },
  E_POLICY: { status: 500, meaning: 'A document of policies cannot be used' },
  E_POLICY_UNKNOWN: { status: 500, meaning: 'A policy that is named does not exist' },
  E_POOL_FULL: { status: 500, meaning: 'All addresses of a cell are taken' },
  E_POOL_UNKNOWN: { status: 500, meaning: 'The engine named a pool that Romana cannot make sense of' },
  E_ADDRESS_TAKEN: { status: 500, meaning: 'The address asked for is in use' },
  E_ADDRESS_REFUSED: { status: 500, meaning: 'The address asked for cannot be given to an endpoint' },
  E_NETWORK_UNKNOWN: { status: 500, meaning: 'A network that is named is not one that Romana knows' },
  E_NETWORK_IN_USE: { status: 500, meaning: 'A network that was to be removed is in use' },
  E_ENDPOINT_UNKNOWN: { status: 500, meaning: 'The engine named an endpoint that Romana does not know' },
  E_PORT: { status: 500, meaning: 'A port cannot be published as it was asked for' },
  E_PORT_TAKEN: { status: 500, meaning: 'A port of this host that was to be published is taken' },
  E_STORE: { status: 500, meaning: 'A store could not be opened, read or written' },
  E_STORE_AWAY: { status: 500, meaning: "The cluster's store does not answer" },
  E_STORE_DENIED: { status: 500, meaning: "The cluster's store refuses this host" },
  E_RECORD: { status: 500, meaning: 'A stored record could not be read' },
  E_CONFLICT: { status: 500, meaning: 'Other writers kept changing the same records' },
  E_COMMAND: { status: 500, meaning: 'A command of the host (ip, iptables) failed' },
  E_ENGINE: { status: 500, meaning: "This host's Docker engine could not be asked" },
  E_HOST: { status: 500, meaning: 'This host cannot carry Romana: a kernel part or a permission is missing' },
  E_UNDERLAY: { status: 500, meaning: 'The address at which other hosts reach this one cannot be told' },
  E_HOST_CLONE: { status: 500, meaning: 'This machine has the ids of a host that is another machine' },
  E_HOST_UNKNOWN: { status: 500, meaning: 'A host that is named does not exist' },
  E_HOST_IN_USE: { status: 500, meaning: 'A host that was to be removed or accepted still runs' },
  E_CLUSTER: { status: 500, meaning: 'This host and the cluster disagree' },
  E_LOCKED: { status: 500, meaning: 'Another Romana plugin works in this network namespace' },
  E_PLUGIN_AWAY: { status: 500, meaning: 'The romana command could not reach the plugin' },
  E_INTERNAL: { status: 500, meaning: 'Romana has a defect' },
} as const

/** A stable code of the table {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS

/** The parts of a message: "Cannot `cannot`: `because`. `remedy` (CODE)". None ends with a full stop. */
export interface ErrorParts {
  /** The action and its object, as it follows "Cannot": `give out an address in "10.1.17.0/24"`. */
  readonly cannot: string
  /** What is the case and what was wanted. */
  readonly because: string
  /** What the person can do. */
  readonly remedy?: string
  readonly cause?: unknown
}

/** An error that a person will read. */
export class RomanaError extends Error {
  readonly code: ErrorCode
  readonly parts: ErrorParts

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(formatMessage(code, parts), parts.cause === undefined ? {} : { cause: parts.cause })
    this.name = 'RomanaError'
    this.code = code
    this.parts = parts
  }

  /** The HTTP status of the answer that carries this error. */
  get status(): (typeof ERRORS)[ErrorCode]['status'] {
    return ERRORS[this.code].status
  }
}

function formatMessage(code: ErrorCode, { cannot, because, remedy }: ErrorParts): string {
  const rest = remedy === undefined ? '' : `. ${remedy}`
  return `Cannot ${cannot}: ${because}${rest} (${code})`
}

/** The text of anything thrown, for a message or a log line. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
