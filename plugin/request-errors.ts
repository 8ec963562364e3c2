/** What can be wrong with a request, and the error of Romana that any thrown error is to who asked. Pure. */
import * as v from 'valibot'
import { RomanaError, reasonOf } from '../errors.ts'

/** Requests have a few hundred bytes. */
export const BODY_LIMIT_BYTES = 1024 * 1024

/** @param request how messages call it. @throws RomanaError E_REQUEST */
export function parseJson(request: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw requestError(request, reasonOf(cause), cause)
  }
}

/** @param request how messages call it. */
export function asRomanaError(error: unknown, request: string): RomanaError {
  if (error instanceof RomanaError) return error
  if (error instanceof v.ValiError) return requestError(request, describeIssues(error), error)
  return new RomanaError('E_INTERNAL', {
    cannot: `answer ${request}`,
    because: reasonOf(error),
    remedy: 'Please report it with the log of the plugin',
    cause: error,
  })
}

/** @param request how messages call it. */
export function requestError(request: string, because: string, cause?: unknown): RomanaError {
  return new RomanaError('E_REQUEST', { cannot: `answer ${request}`, because, cause })
}

export function bodyTooLarge(): RomanaError {
  return requestError('the request', `its body has more than ${BODY_LIMIT_BYTES} bytes`)
}

/** @param kind of request: what there is none of. */
export function unknownRequest(request: string, kind: 'method' | 'request'): RomanaError {
  return new RomanaError('E_METHOD', { cannot: `answer ${request}`, because: `Romana has no such ${kind}` })
}

function describeIssues({ issues }: v.ValiError<v.GenericSchema>): string {
  return issues.map((issue) => `"${v.getDotPath(issue) ?? 'the body'}": ${issue.message}`).join('; ')
}
