/** The admin API of the plugin on this host, over its Unix socket. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import * as v from 'valibot'
import { RomanaError, reasonOf } from '../errors.ts'

/** Where the plugin listens, unless its mount of /run was set to another place. */
export const ADMIN_SOCKET = '/run/romana/admin.sock'

/** A request waits 20 s for a plugin that recovers. */
const TIMEOUT_MS = 30_000

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

/** The plugin has said no. The message is its own. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** Whether the request could not have been meant: 400. */
  readonly isUsage: boolean

  constructor(message: string, isUsage: boolean) {
    super(message)
    this.isUsage = isUsage
  }
}

const ErrorAnswer = v.object({ code: v.string(), message: v.string() })

/** @param schema of the answer. @throws Refusal @throws RomanaError E_PLUGIN_AWAY */
export async function ask<S extends v.GenericSchema>(
  socketPath: string,
  request: AdminRequest,
  schema: S,
): Promise<v.InferOutput<S>> {
  try {
    const response = await exchange(socketPath, request)
    const status = response.statusCode ?? 0
    const body = JSON.parse(await text(response))
    if (status < 300) return v.parse(schema, body)
    throw new Refusal(v.parse(ErrorAnswer, body).message, status === 400)
  } catch (error) {
    throw error instanceof Refusal ? error : awayError(socketPath, error)
  }
}

function awayError(socketPath: string, cause: unknown): RomanaError {
  return new RomanaError('E_PLUGIN_AWAY', {
    cannot: `ask the plugin at ${socketPath}`,
    because: cause instanceof v.ValiError ? 'its answer is that of another version' : reasonOf(cause),
    remedy: 'The command runs as root on a host where the plugin is enabled: see docker plugin ls',
    cause,
  })
}

function exchange(socketPath: string, { method, path, body }: AdminRequest): Promise<IncomingMessage> {
  const options = { socketPath, method, path, signal: AbortSignal.timeout(TIMEOUT_MS) }
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ ...options, headers: { 'content-type': 'application/json' } }, resolve)
    sent.once('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
