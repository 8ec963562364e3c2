/** Before the engine tests: dist/plugin as `npm run plugin` makes it, of the sources as they are. */
import { execa } from 'execa'

export async function setup(): Promise<void> {
  await execa('node', ['lab/build-plugin.ts'], { stdio: ['ignore', 'ignore', 'inherit'] })
}
