/** What etcd and the way to it answer, as an error a person can act on. */
import {
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdPermissionDeniedError,
  EtcdUserNotFoundError,
  GRPCCancelledError,
  GRPCDeadlineExceededError,
  GRPCInternalError,
  GRPCUnauthenticatedError,
  GRPCUnavailableError,
} from 'etcd3'
import { type ErrorCode, RomanaError, reasonOf } from '../errors.ts'

/** The call may have been carried out or not, and another member may answer. */
const AWAY = [GRPCUnavailableError, GRPCDeadlineExceededError, GRPCCancelledError, GRPCInternalError]
const DENIED = [
  EtcdPermissionDeniedError,
  EtcdAuthenticationFailedError,
  EtcdUserNotFoundError,
  EtcdInvalidAuthTokenError,
  GRPCUnauthenticatedError,
]
/** What members say while they have no leader, or are about to stop; it comes as an error of etcd's own. */
const AWAY_WORDS =
  /no leader|leader changed|request timed out|server stopped|not capable|too many requests|auth revision|unhealthy/

/** The same, as streams give them (https://grpc.io/docs/guides/status-codes): cancelled, deadline exceeded, internal, unavailable. */
const AWAY_CODES: readonly unknown[] = [1, 4, 13, 14]
/** Permission denied, unauthenticated. */
const DENIED_CODES: readonly unknown[] = [7, 16]

/** Whether another member, or the same one later, may answer. */
export function isAway(thrown: unknown): boolean {
  if (AWAY.some((kind) => thrown instanceof kind) || AWAY_CODES.includes(grpcCodeOf(thrown))) return true
  return !isDenied(thrown) && AWAY_WORDS.test(reasonOf(thrown))
}

/** Whether etcd does not let this user do it. Never the same as "there is none". */
function isDenied(thrown: unknown): boolean {
  return DENIED.some((kind) => thrown instanceof kind) || DENIED_CODES.includes(grpcCodeOf(thrown))
}

function grpcCodeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}

const REMEDIES: Readonly<Record<'E_STORE_AWAY' | 'E_STORE_DENIED' | 'E_STORE', string>> = {
  E_STORE_AWAY:
    'Containers start and stop all the same. Check that etcd runs and that this host reaches ROMANA_ETCD_ENDPOINTS',
  E_STORE_DENIED:
    'Check ROMANA_ETCD_USER and its password, the client certificate, and the role: docs/etcd.md',
  E_STORE: "Look into etcd's log",
}

/** `cannot` is the action on the store, as it follows "Cannot": `read "/plan" of`. @param name how messages call the store */
export function etcdError(cannot: string, name: string, thrown: unknown): RomanaError {
  if (thrown instanceof RomanaError) return thrown
  const code = codeOf(thrown)
  const parts = { cannot: `${cannot} ${name}`, because: becauseOf(code, thrown), remedy: REMEDIES[code] }
  return new RomanaError(code, { ...parts, cause: thrown })
}

function codeOf(thrown: unknown): keyof typeof REMEDIES {
  if (isAway(thrown)) return 'E_STORE_AWAY'
  return isDenied(thrown) ? 'E_STORE_DENIED' : 'E_STORE'
}

/** The client writes the name of its class before the message, and gRPC its code and how it looked the address up. */
function becauseOf(code: ErrorCode, thrown: unknown): string {
  const reason = reasonOf(thrown)
    .replace(/^\w*(Error): /, '')
    .replace(/^\d+ [A-Z_]+: /, '')
    .replace(/^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note: $/, '$1')
  return code === 'E_STORE_AWAY' ? `no member of etcd has answered in time (${reason})` : reason
}
