/**
 * A base image for Dockerfile on an engine without a network: a Debian with npm, with the packages that Dockerfile installs,
 * and in their caches what npm and the build of the plugin would download.
 */
import { hash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../lab/command.ts'
import { debianRoot } from '../../lab/debian-root.ts'
import type { LabHost } from '../../lab/lab-host.ts'

const CACHE = '/var/cache/romana-lab'
/** What Dockerfile installs, and what its own default base has npm from. */
const DEBIAN = { release: 'bookworm', packages: ['binutils', 'ca-certificates', 'libstdc++6'] }
const NPM = 'npm@11'
const LOCKED = ['package.json', 'package-lock.json', '.npmrc']
const BUILD_TIMEOUT_MS = 300_000

/** Makes the image, called `name`. The first call on a machine needs Debian's and npm's packages. */
export async function importDockerfileBase(host: LabHost, name: string): Promise<void> {
  const inside = '/var/tmp/base'
  const context = host.rootPath(inside)
  mkdirSync(context)
  await run('tar', [
    '--create',
    '--file',
    join(context, 'root.tar'),
    '--directory',
    await debianRoot(DEBIAN),
    '.',
  ])
  await host.docker(['import', `${inside}/root.tar`, `${name}-root`], { timeoutMs: BUILD_TIMEOUT_MS })
  rmSync(join(context, 'root.tar'))
  cpSync(await npmFiles(), join(context, 'files'), { recursive: true, verbatimSymlinks: true })
  cpSync(join(CACHE, 'debs'), join(context, 'files', CACHE, 'debs'), { recursive: true })
  const { stdout: registry } = await run('npm', ['config', 'get', 'registry'])
  const settings = `ENV npm_config_offline=true npm_config_registry=${registry}`
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name}-root\nCOPY files /\n${settings}\n`)
  await buildImage(host, ['--tag', name, inside])
  rmSync(context, { recursive: true })
}

/** `docker build` with the builder that every engine has. @throws ExecaError with all that it printed */
export async function buildImage(host: LabHost, args: readonly string[]): Promise<void> {
  const build = ['DOCKER_BUILDKIT=0', 'docker', 'build', '--network=none', ...args]
  await host.runInside('env', build, { timeoutMs: BUILD_TIMEOUT_MS })
}

/** Node and npm, and npm's cache with all that the lock file names: files for the root directory, kept for that lock file. */
async function npmFiles(): Promise<string> {
  const kept = join(CACHE, `npm-${hash('sha256', readFileSync('package-lock.json', 'utf8')).slice(0, 8)}`)
  if (existsSync(kept)) return kept
  const work = mkdtempSync(join(tmpdir(), 'romana-npm-'))
  try {
    for (const file of LOCKED) copyFileSync(file, join(work, file))
    const files = join(work, 'files')
    const cache = ['--cache', join(files, 'root/.npm')]
    await run('npm', ['install', '--no-save', ...cache], { cwd: work })
    await run('npm', ['install', '--global', '--prefix', join(files, 'usr/local'), ...cache, NPM], {
      cwd: work,
    })
    copyFileSync(process.execPath, join(files, 'usr/local/bin/node'))
    cpSync(files, `${kept}.new`, { recursive: true, verbatimSymlinks: true })
    renameSync(`${kept}.new`, kept)
  } finally {
    rmSync(work, { recursive: true })
  }
  return kept
}
