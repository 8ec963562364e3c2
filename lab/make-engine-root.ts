/** `node make-engine-root.ts RELEASE DIRECTORY`, run under a lock: makes a root file system unless it is there. */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { run } from './command.ts'
import { runMain } from './steps.ts'

const PACKAGES = ['conntrack', 'docker.io', 'iproute2', 'iptables', 'nftables', 'procps', 'tini']
/** bookworm's docker.io holds the docker command itself. */
const MORE_PACKAGES: Readonly<Record<string, readonly string[]>> = { sid: ['docker-cli'] }

async function main([release, directory]: readonly string[]): Promise<void> {
  if (release === undefined || directory === undefined) {
    throw new Error('Cannot make a root file system: call it with a release and a directory')
  }
  if (existsSync(directory)) return
  // A run that is cut leaves this behind, and never a half directory under the right name.
  const partial = `${directory}.partial`
  rmSync(partial, { recursive: true, force: true })
  await debootstrap(release, partial)
  for (const unused of ['var/cache/apt/archives', 'var/lib/apt/lists']) {
    rmSync(join(partial, unused), { recursive: true })
  }
  renameSync(partial, directory)
}

/** In namespaces of its own, debootstrap leaves no mount and no process behind, even when it is killed. */
async function debootstrap(release: string, directory: string): Promise<void> {
  const packages = [...PACKAGES, ...(MORE_PACKAGES[release] ?? [])].join(',')
  const options = ['--variant=minbase', `--include=${packages}`]
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
