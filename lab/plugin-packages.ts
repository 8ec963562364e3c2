/** The Debian packages of the plugin's root file system: downloaded by apt, verified with Debian's keys, cached. */
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { run } from './command.ts'
import type { Architecture } from './plugin-architecture.ts'
import { moveIntoPlace } from './plugin-tree.ts'

const RELEASE = 'bookworm'
/** What the plugin and Node use themselves; apt adds what these depend on. */
const PACKAGES = ['conntrack', 'iproute2', 'ipset', 'iptables', 'libstdc++6', 'netbase', 'nftables']
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * The package files for an architecture, sorted. They are downloaded once; later calls need no network and give the same
 * versions, until the directory `debs` of the cache is removed.
 * @throws Error when apt has no Debian source, or ExecaError when the download fails
 */
export async function packageFiles(architecture: Architecture, cacheDir: string): Promise<readonly string[]> {
  const cached = join(cacheDir, 'debs', [RELEASE, architecture.name, ...PACKAGES].join('-'))
  if (!existsSync(cached)) await download(architecture, join(cacheDir, 'debs'), cached)
  return globSync('*.deb', { cwd: cached })
    .sort()
    .map((name) => join(cached, name))
}

async function download(architecture: Architecture, parent: string, target: string): Promise<void> {
  mkdirSync(parent, { recursive: true })
  const root = mkdtempSync(join(parent, '.new-'))
  try {
    const archives = layOutAptRoot(root, await debianSources())
    const options = aptOptions(root, architecture)
    await run('apt-get', [...options, 'update'])
    await run('apt-get', [
      ...options,
      'install',
      '--yes',
      '--download-only',
      '--no-install-recommends',
      ...PACKAGES,
    ])
    moveIntoPlace(archives, target)
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** apt resolves dependencies against an empty machine here, so that what this machine has does not matter. */
function layOutAptRoot(root: string, sources: string): string {
  // apt downloads as its own user, who must be able to enter.
  chmodSync(root, 0o755)
  const archives = join(root, 'var/cache/apt/archives')
  const directories = ['etc/apt/preferences.d', 'var/lib/apt/lists/partial', 'var/lib/dpkg']
  for (const path of [join(archives, 'partial'), ...directories.map((name) => join(root, name))]) {
    mkdirSync(path, { recursive: true })
  }
  writeFileSync(join(root, 'etc/apt/sources.list'), sources)
  writeFileSync(join(root, 'var/lib/dpkg/status'), '')
  return archives
}

function aptOptions(root: string, architecture: Architecture): readonly string[] {
  const settings = [
    `Dir=${root}`,
    `APT::Architecture=${architecture.name}`,
    `APT::Architectures=${architecture.name}`,
    'APT::Update::Error-Mode=any',
    'Acquire::Languages=none',
  ]
  return ['--quiet', ...settings.flatMap((setting) => ['--option', setting])]
}

async function debianSources(): Promise<string> {
  const format = '$(RELEASE) $(COMPONENT) $(REPO_URI)'
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const codename = parseEnv(readFileSync('/etc/os-release', 'utf8'))['VERSION_CODENAME'] ?? ''
  return pinnedSources(stdout, codename)
}

/**
 * The sources.list of the pinned release at the mirrors this machine uses: its own suites, with the release replaced.
 * @param targets lines of `apt-get indextargets`: suite, component and URI of the repository
 * @param codename the Debian release of this machine
 * @throws Error when no line is Debian's main archive
 */
export function pinnedSources(targets: string, codename: string): string {
  const suites = ['', '-updates', '-security']
  const lines = targets.split('\n').flatMap((line) => {
    const [suite, component, uri] = line.split(' ')
    const suffix = suites.find((known) => suite === `${codename}${known}`)
    if (suffix === undefined || component !== 'main') return []
    return [`deb [signed-by=${KEYRING}] ${uri} ${RELEASE}${suffix} main\n`]
  })
  if (lines.length === 0) {
    throw new Error(
      `Cannot download Debian packages: apt has no source with the suite "${codename}" and the component "main". ` +
        'Add one to /etc/apt/sources.list.d',
    )
  }
  return [...new Set(lines)].join('')
}
