import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMeasuredSocket } from '../../bench/measured-socket.ts'

const DELAY_MS = 30

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'romana-socket-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('requests and answers pass unchanged, and the time of each is that of the answerer', async () => {
  const target = join(directory, 'plugin.sock')
  const answerer = createServer(async (incoming, answer) => {
    const body = await incoming.toArray()
    await sleep(DELAY_MS)
    answer.end(`${incoming.url} ${Buffer.concat(body)}`)
  })
  await new Promise<void>((resolve) => answerer.listen(target, resolve))
  const path = join(directory, 'measured.sock')
  {
    await using socket = await openMeasuredSocket(path, target)
    expect(await post(path, '/NetworkDriver.Join', 'a')).toBe('/NetworkDriver.Join a')
    expect(await post(path, '/NetworkDriver.Leave', 'b')).toBe('/NetworkDriver.Leave b')
    expect(socket.calls.map(({ method }) => method).join(' ')).toBe('NetworkDriver.Join NetworkDriver.Leave')
    for (const { ms } of socket.calls) expect(ms).toBeGreaterThan(DELAY_MS - 5)
  }
  answerer.close()
})

function post(socketPath: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: 'POST' }, async (answer) => {
      resolve(Buffer.concat(await answer.toArray()).toString())
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
