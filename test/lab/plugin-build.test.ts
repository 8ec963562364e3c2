import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { architectureOf } from '../../lab/plugin-architecture.ts'
import { neededNames } from '../../lab/plugin-libraries.ts'
import { pinnedSources } from '../../lab/plugin-packages.ts'
import { fixTimesAndModes, replaceDirectory, summarize } from '../../lab/plugin-tree.ts'

describe('the architecture of the plugin', () => {
  test('is known by the name of Debian and by the name of Node', () => {
    expect(architectureOf('arm64').triplet).toBe('aarch64-linux-gnu')
    expect(architectureOf('x64')).toBe(architectureOf('amd64'))
  })

  test('is refused when there is no plugin for it', () => {
    expect(() => architectureOf('riscv64')).toThrow(
      'Cannot build the plugin for "riscv64": the architecture is amd64 or arm64',
    )
  })
})

describe('the Debian sources of the plugin', () => {
  test('are those of the machine with the pinned release in place of its own', () => {
    const targets = [
      'trixie main http://mirror.example/debian/',
      'trixie contrib http://mirror.example/debian/',
      'trixie-updates main http://mirror.example/debian/',
      'trixie-security main http://security.example/',
      'trixie-backports main http://mirror.example/debian/',
      'stable main http://other.example/',
    ]
    const signed = 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    expect(pinnedSources(targets.join('\n'), 'trixie')).toBe(
      [
        `${signed} http://mirror.example/debian/ bookworm main\n`,
        `${signed} http://mirror.example/debian/ bookworm-updates main\n`,
        `${signed} http://security.example/ bookworm-security main\n`,
      ].join(''),
    )
  })

  test('cannot be made on a machine that is not a Debian one', () => {
    expect(() => pinnedSources('noble main http://mirror.example/ubuntu/', 'trixie')).toThrow(
      'Cannot download Debian packages: apt has no source with the suite "trixie" and the component "main". ' +
        'Add one to /etc/apt/sources.list.d',
    )
  })
})

test('the libraries of several programs are read from one report, each once', () => {
  const report = `
File: ip
  0x0000000000000001 (NEEDED)             Shared library: [libmnl.so.0]
  0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
  0x000000000000000e (SONAME)             Library soname: [libother.so.1]
File: node
  0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
`
  expect([...neededNames(report)].join(' ')).toBe('libmnl.so.0 libc.so.6')
})

describe('a tree', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'romana-tree-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function makeTree(name: string, files: Readonly<Record<string, number>>): string {
    const root = join(directory, name)
    mkdirSync(join(root, 'usr/bin'), { recursive: true })
    symlinkSync('usr/bin', join(root, 'bin'))
    for (const [file, mode] of Object.entries(files)) {
      writeFileSync(join(root, 'usr/bin', file), file)
      chmodSync(join(root, 'usr/bin', file), mode)
    }
    return root
  }

  test('has the same hash when it was made at another time, in another order and with another umask', () => {
    const first = makeTree('first', { ip: 0o755, node: 0o755, list: 0o644 })
    const second = makeTree('second', { list: 0o600, node: 0o700, ip: 0o711 })
    fixTimesAndModes(first, 1000)
    fixTimesAndModes(second, 1000)
    expect(summarize(second)).toEqual(summarize(first))
  })

  test('has another hash when a mode, a time or a link differs', () => {
    const root = makeTree('tree', { ip: 0o755 })
    const hashes = [
      () => fixTimesAndModes(root, 1000),
      () => fixTimesAndModes(root, 1001),
      () => chmodSync(join(root, 'usr/bin/ip'), 0o644),
      () => symlinkSync('ip', join(root, 'usr/bin/link')),
    ].map((change) => {
      change()
      return summarize(root).sha256
    })
    expect(new Set(hashes).size).toBe(4)
  })

  test('counts a file once, also where a link leads to its directory', () => {
    expect(summarize(makeTree('tree', { four: 0o644 })).bytes).toBe(4)
  })

  test('takes the place of an older one whole', () => {
    const target = makeTree('target', { old: 0o644 })
    const fresh = makeTree('fresh', { new: 0o644 })
    const expected = summarize(fresh)
    replaceDirectory(fresh, target, join(directory, 'aside'))
    expect(summarize(target)).toEqual(expected)
  })
})
