/** The plugin's root file system without the plugin: Node, `ip`, `nft`, both variants of iptables, and what they need. */
import { copyFileSync, cpSync, globSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './command.ts'
import type { Architecture } from './plugin-architecture.ts'
import { librariesOf } from './plugin-libraries.ts'

/** What stays of the unpacked packages. Each pattern must match. */
const KEPT = [
  'bin/ip',
  // It tells of changes of the rules; iptables makes them.
  'usr/sbin/nft',
  // It forgets the translation of flows whose port has another container now.
  'usr/sbin/conntrack',
  // The set of hosts.
  'usr/sbin/ipset',
  'usr/sbin/xtables-{nft,legacy}-multi',
  'usr/sbin/ip{,6}tables-{nft,legacy}{,-save,-restore}',
  // All matches and targets, not only Romana's: reading a table means reading the rules of others too.
  'usr/lib/*/xtables/lib{xt,ipt,ip6t}_*.so',
  'etc/iproute2/{group,rt_protos,rt_realms,rt_scopes,rt_tables}',
  'etc/{protocols,services}',
  'usr/share/doc/*/copyright',
]

/** Where the kernel, the engine and programs mount or write something. */
const DIRECTORIES = ['dev', 'proc', 'run/docker/plugins', 'sys', 'tmp']

const FILES = {
  'etc/passwd': 'root:x:0:0:root:/:/usr/sbin/nologin\n',
  // The engine mounts the host's own over these two.
  'etc/hosts': '',
  'etc/resolv.conf': '',
}

/** What a root file system is made of. */
export interface RootfsParts {
  readonly architecture: Architecture
  /** Debian package files, dependencies included. */
  readonly packages: readonly string[]
  /** Directory with `bin/node` and `LICENSE`. */
  readonly node: string
}

/**
 * Makes a root file system.
 * @param rootfs a directory that does not exist yet
 * @param unpacked an empty directory for the packages' full contents
 * @throws ExecaError when a package, a binary or a library cannot be read
 */
export async function makeRootfs(rootfs: string, unpacked: string, parts: RootfsParts): Promise<void> {
  for (const file of parts.packages) await run('dpkg-deb', ['--extract', file, unpacked])
  layOut(rootfs)
  for (const pattern of KEPT) keep(pattern, unpacked, rootfs)
  await addNode(rootfs, parts)
  await addLibraries(rootfs, unpacked, parts.architecture)
}

function layOut(rootfs: string): void {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(rootfs, 'usr', name), { recursive: true })
    symlinkSync(join('usr', name), join(rootfs, name))
  }
  for (const path of DIRECTORIES) mkdirSync(join(rootfs, path), { recursive: true })
  mkdirSync(join(rootfs, 'etc'))
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(rootfs, path), text)
}

function keep(pattern: string, unpacked: string, rootfs: string): void {
  const paths = globSync(pattern, { cwd: unpacked })
  if (paths.length === 0) throw new Error(`Cannot fill the root file system: no package has "${pattern}"`)
  for (const path of paths) {
    // Packages still ship some files in /bin that belong to /usr/bin.
    const target = join(rootfs, path.replace(/^bin\//, 'usr/bin/'))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(join(unpacked, path), target, { verbatimSymlinks: true })
  }
}

async function addNode(rootfs: string, { architecture, node }: RootfsParts): Promise<void> {
  const binary = join(rootfs, 'usr/bin/node')
  await run(`${architecture.triplet}-strip`, ['-o', binary, join(node, 'bin/node')])
  const documents = join(rootfs, 'usr/share/doc/nodejs')
  mkdirSync(documents)
  copyFileSync(join(node, 'LICENSE'), join(documents, 'copyright'))
}

/** Everything goes to the loader's default directory, which makes ld.so.cache needless. */
async function addLibraries(
  rootfs: string,
  unpacked: string,
  { triplet, loader }: Architecture,
): Promise<void> {
  const programs = globSync(
    ['usr/bin/*', 'usr/sbin/{nft,ipset,conntrack}', 'usr/sbin/xtables-*-multi', 'usr/lib/*/xtables/*.so'],
    {
      cwd: rootfs,
    },
  )
  const searched = ['lib', 'usr/lib'].map((directory) => join(unpacked, directory, triplet))
  const libraries = await librariesOf(
    programs.map((path) => join(rootfs, path)),
    searched,
  )
  const target = join('usr/lib', triplet)
  for (const [name, file] of libraries) copyFileSync(file, join(rootfs, target, name))
  symlinkSync(join('/', target, loader.replace(/.*\//, '')), join(rootfs, loader))
}
