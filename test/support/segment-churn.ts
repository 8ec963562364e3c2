/** Makes and removes tenants and segments by the admin API of a host, some of them the same as other hosts'. */
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import * as v from 'valibot'
import type { LabHost } from '../../lab/lab-host.ts'

export interface Churn {
  /** Requests that were answered as one of their possible outcomes. */
  readonly done: number
  /** Answers that nobody should get. */
  readonly surprises: readonly string[]
}

interface Step {
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

/** Made, removed, there already, not there any more, still in use, all numbers taken. */
const POSSIBLE = [200, 201, 404, 409]
const Message = v.object({ message: v.optional(v.string(), '') })

/** @param index of the host: every second step is about a tenant that all hosts change, the others about its own. */
export async function churn(host: LabHost, index: number, steps: number): Promise<Churn> {
  const socketPath = host.rootPath('/run/romana/admin.sock')
  const surprises: string[] = []
  let done = 0
  for (let number = 0; number < steps; number += 1) {
    const step = stepOf(index, number)
    const { status, message } = await send(socketPath, step)
    if (POSSIBLE.includes(status)) done += 1
    else surprises.push(`${step.method} ${step.path} on ${host.name}: ${status} ${message}`)
  }
  return { done, surprises }
}

function stepOf(index: number, number: number): Step {
  const tenant = number % 2 === 0 ? 'common' : `own-${index}`
  const segment = `s${Math.floor(number / 4) % 5}`
  return Math.floor(number / 2) % 2 === 0
    ? { method: 'POST', path: '/v1/segments', body: { tenant, name: segment } }
    : { method: 'DELETE', path: `/v1/segments/${tenant}/${segment}` }
}

function send(
  socketPath: string,
  { method, path, body }: Step,
): Promise<{ readonly status: number; readonly message: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path }, async (response) => {
      const { message } = v.parse(Message, await json(response))
      resolve({ status: response.statusCode ?? 0, message })
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
