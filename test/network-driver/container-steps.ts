/** A running container e1 on network n1, of segment web of tenant blue. */
import type { EngineEndpoint, NetworkOptions } from '../contract/docker-engine.ts'
import { type Romana, startRomana } from './romana-steps.ts'

export const WEB: NetworkOptions = { tenant: 'blue', segment: 'web' }

export async function startWithContainer(options = WEB): Promise<Romana & { endpoint: EngineEndpoint }> {
  const romana = await startRomana()
  const network = await romana.engine.createNetwork('n1', options)
  return { ...romana, endpoint: await romana.engine.run('e1', network) }
}
