/** A name server and a service that says who calls, in a network namespace of the lab. */
import { join } from 'node:path'
import { execa } from 'execa'
import { runInNetwork } from '../../lab/host-namespaces.ts'
import { namespacePath } from '../../lab/lab-names.ts'
import { OUTSIDE } from '../../lab/underlay.ts'
import { waitUntil } from '../../lab/wait-until.ts'

/** Every name that ends so has the address of the lab's world outside; others do not exist. */
export const DOMAIN = 'example'
/** Answers TCP with the caller's address. */
export const PORT = '8000'

/**
 * Starts both, and gives what ends them. @throws Error when they do not answer
 * @param dns the name server's address. With 0.0.0.0 it is asked at addresses that lie on the way to who asks: it answers from
 * these. The other service has all addresses of the namespace.
 */
export async function startServices(netns: string, dns: string): Promise<AsyncDisposable> {
  const program = join(import.meta.dirname, 'services-process.ts')
  const inside = [`--net=${namespacePath(netns)}`, process.execPath, program, dns, OUTSIDE.address]
  const services = execa('nsenter', inside, { reject: false, stdio: ['ignore', 'inherit', 'inherit'] })
  const end = async () => {
    services.kill('SIGKILL')
    await services
  }
  try {
    await waitUntil({ what: `the services of ${netns}`, timeoutMs: 10_000 }, async () => {
      const { exitCode } = await runInNetwork(netns, 'nc', ['-z', '127.0.0.1', PORT], { reject: false })
      return exitCode === 0
    })
  } catch (error) {
    await end()
    throw error
  }
  return { [Symbol.asyncDispose]: end }
}
