/** A service on every address of a host, as somebody could run one there. */
import { execa } from 'execa'
import { expect } from 'vitest'
import type { LabHost } from '../../lab/lab-host.ts'

export interface HostListener extends AsyncDisposable {
  readonly port: number
}

const PORT = 7009

/** It answers when this resolves. */
export async function listenOnHost(host: LabHost): Promise<HostListener> {
  const inHost = [`--net=/run/netns/${host.netns}`, 'nc']
  const server = execa('nsenter', [...inHost, '-l', '-k', String(PORT)], { reject: false })
  const answers = async () => {
    const probe = ['-z', '-w', '1', host.address, String(PORT)]
    return (await host.run('nc', probe, { reject: false })).exitCode
  }
  await expect.poll(answers).toBe(0)
  return {
    port: PORT,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      await server
    },
  }
}
