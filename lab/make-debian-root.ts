/** `node make-debian-root.ts RELEASE DIRECTORY PACKAGE…`, run under a lock: makes a root file system unless it is there. */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { run } from './command.ts'
import { runMain } from './steps.ts'

async function main([release, directory, ...packages]: readonly string[]): Promise<void> {
  if (release === undefined || directory === undefined || packages.length === 0) {
    throw new Error('Cannot make a root file system: call it with a release, a directory and packages')
  }
  if (existsSync(directory)) return
  // A run that is cut leaves this behind, and never a half directory under the right name.
  const partial = `${directory}.partial`
  rmSync(partial, { recursive: true, force: true })
  await debootstrap(release, packages, partial)
  for (const unused of ['var/cache/apt/archives', 'var/lib/apt/lists']) {
    rmSync(join(partial, unused), { recursive: true })
  }
  renameSync(partial, directory)
}

/** In namespaces of its own, debootstrap leaves no mount and no process behind, even when it is killed. */
async function debootstrap(release: string, packages: readonly string[], directory: string): Promise<void> {
  const options = ['--variant=minbase', `--include=${packages.join(',')}`]
  await run('unshare', [
    ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['debootstrap', ...options, release, directory, await mirror()],
  ])
}

/** The Debian archive that this machine itself uses. */
async function mirror(): Promise<string> {
  const codename = parseEnv(readFileSync('/etc/os-release', 'utf8'))['VERSION_CODENAME']
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(RELEASE) $(SITE)'])
  const lines = stdout.split('\n').map((line) => line.split(' '))
  const site = lines.find(([release]) => release === codename)?.[1]
  if (site === undefined) {
    throw new Error(`Cannot find a Debian archive: the apt sources of this machine have no "${codename}"`)
  }
  return site
}

await runMain(() => main(process.argv.slice(2)))
