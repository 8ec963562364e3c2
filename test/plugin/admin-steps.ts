/** The admin API over a Romana host that needs no kernel, on a socket of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { parsePlan } from '../../address/address-plan.ts'
import { createAdminApp } from '../../plugin/admin/app.ts'
import type { AdminParts } from '../../plugin/admin/routing.ts'
import type { ClusterStatus } from '../../plugin/cluster-tasks.ts'
import { close, listen } from '../../plugin/listen.ts'
import { waitUntilReady } from '../../plugin/readiness.ts'
import { type Romana, type StartWish, startRomana } from '../network-driver/romana-steps.ts'
import { keepLog, type PluginAnswer, sendThrough } from './http-steps.ts'

export interface AdminHost extends AsyncDisposable {
  readonly romana: Romana
  readonly socket: string
  /** Lines of the log: "tenant added". */
  readonly logged: () => string[]
  /** Asks as `curl -X METHOD --data BODY --unix-socket ...` does: "DELETE /v1/tenants/blue". */
  ask(line: string, body?: object | string): Promise<PluginAnswer>
}

/** @param ready instead of a plugin that is: what its recovery came to. */
export async function startAdmin(
  wish: StartWish = {},
  ready?: () => Promise<AdminParts>,
  cluster?: ClusterStatus,
  engine?: AdminParts['engine'],
): Promise<AdminHost> {
  const romana = await startRomana(wish)
  const { journal, drivers } = romana
  const parts: AdminParts = {
    cluster: cluster && { status: () => cluster },
    engine,
    journal,
    plans: { ipv4: parsePlan(romana.plan) },
    ...drivers,
  }
  const { log, lines } = keepLog()
  const directory = await mkdtemp(`${tmpdir()}/romana-admin-`)
  const socket = `${directory}/admin.sock`
  const app = createAdminApp({ parts: () => waitUntilReady(ready?.() ?? Promise.resolve(parts)), log })
  const server = await listen(app, socket)
  const send = sendThrough(socket)
  return {
    romana,
    socket,
    logged: () => lines.map(({ msg }) => String(msg)),
    ask(line, body) {
      const [method = '', path = ''] = line.split(' ')
      const text = typeof body === 'string' ? body : JSON.stringify(body ?? '')
      return send({ method, path, ...(body === undefined ? {} : { body: text }) })
    },
    async [Symbol.asyncDispose]() {
      await close(server, 0)
      await rm(directory, { recursive: true })
    },
  }
}
