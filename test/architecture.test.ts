import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findBreaches } from './support/architecture.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

test('the source tree keeps its rules', () => {
  const paths = globSync('**/*.ts', { cwd: ROOT, exclude: ['**/node_modules', 'dist'] })
  const files = paths.sort().map((path) => ({ path, text: readFileSync(`${ROOT}/${path}`, 'utf8') }))
  expect(paths).toContain('address/cidr.ts')
  expect(findBreaches(files).join('\n')).toBe('')
})

describe('findBreaches() reports', () => {
  test.each([
    [
      'address/a.ts',
      "import { x } from '../store/store.ts'",
      'address/a.ts imports store/store.ts: address may import errors.ts only',
    ],
    [
      'address/a.ts',
      "import fc from 'fast-check'",
      'address/a.ts imports fast-check: address may import the packages ipaddr.js only',
    ],
    [
      'address/a.ts',
      "import { readFile } from 'node:fs/promises'",
      'address/a.ts imports node:fs/promises: address may import the packages ipaddr.js only',
    ],
    [
      'store/a.ts',
      "import type { Link } from '../host/marks.ts'",
      'store/a.ts imports host/marks.ts: store may import address, errors.ts only',
    ],
    [
      'store/a.ts',
      "import { Hono } from 'hono'",
      'store/a.ts imports hono: store may import the packages valibot, etcd3, cockatiel, node: only\nstore/a.ts imports hono: only plugin/ may',
    ],
    [
      'host/a.ts',
      "export * from '../store/store.ts'",
      'host/a.ts imports store/store.ts: host may import address, errors.ts only',
    ],
    [
      'host/a.ts',
      "export { x } from '../../elsewhere.ts'",
      'host/a.ts imports ../elsewhere.ts: host may import address, errors.ts only',
    ],
    [
      'ipam-driver/a.ts',
      "await import('../host/marks.ts')",
      'ipam-driver/a.ts imports host/marks.ts: ipam-driver may import store, address, errors.ts only',
    ],
    [
      'ipam-driver/a.ts',
      "import '../network-driver/wire.ts'",
      'ipam-driver/a.ts imports network-driver/wire.ts: ipam-driver may import store, address, errors.ts only',
    ],
    [
      'network-driver/a.ts',
      "type T = import('../ipam-driver/wire.ts').T",
      'network-driver/a.ts imports ipam-driver/wire.ts: network-driver may import store, host, address, errors.ts only',
    ],
    [
      'cluster/a.ts',
      "import '../network-driver/wire.ts'",
      'cluster/a.ts imports network-driver/wire.ts: cluster may import store, address, errors.ts only',
    ],
    [
      'plugin/a.ts',
      "import { up } from '../lab/up.ts'",
      'plugin/a.ts imports lab/up.ts: plugin may import ipam-driver, network-driver, cluster, store, host, address, errors.ts only',
    ],
    [
      'cli/commands/a.ts',
      "import { x } from '../../store/store.ts'",
      'cli/commands/a.ts imports store/store.ts: cli may import address, errors.ts only',
    ],
    [
      'lab/a.ts',
      "import { Ip } from '../address/ip.ts'",
      'lab/a.ts imports address/ip.ts: lab may import errors.ts only',
    ],
    [
      'plugin/a.ts',
      "import { x } from '../test/run.ts'",
      'plugin/a.ts imports test/run.ts: plugin may import ipam-driver, network-driver, cluster, store, host, address, errors.ts only',
    ],
    [
      'errors.ts',
      "import { Ip } from './address/ip.ts'",
      'errors.ts imports address/ip.ts: errors.ts may import errors.ts only',
    ],
    [
      'host/a.ts',
      "import { execa } from 'execa'",
      'host/a.ts imports execa: only host/processes.ts, lab/ may',
    ],
    [
      'plugin/a.ts',
      "import { spawn } from 'node:child_process'",
      'plugin/a.ts imports node:child_process: only host/processes.ts, lab/ may',
    ],
    [
      'cli/a.ts',
      "import { serve } from '@hono/node-server/conninfo'",
      'cli/a.ts imports @hono/node-server: only plugin/ may',
    ],
    [
      'network-driver/a.ts',
      "import { cors } from 'hono/cors'",
      'network-driver/a.ts imports hono: only plugin/ may',
    ],
    [
      'plugin/a.ts',
      "import { DatabaseSync } from 'node:sqlite'",
      'plugin/a.ts imports node:sqlite: only store/ may',
    ],
    [
      'host/a.ts',
      'const path = process.env.PATH',
      'host/a.ts reads process.env: only plugin/config.ts, cli/main.ts may',
    ],
    [
      'cli/a.ts',
      "const path = globalThis.process['env']['PATH']",
      'cli/a.ts reads process.env: only plugin/config.ts, cli/main.ts may',
    ],
    [
      'plugin/main.ts',
      'const { env } = process',
      'plugin/main.ts reads process.env: only plugin/config.ts, cli/main.ts may',
    ],
    ['host/utils.ts', '', 'host/utils.ts has a name that says nothing: name it after what it holds'],
    [
      'test/support/helpers.test.ts',
      '',
      'test/support/helpers.test.ts has a name that says nothing: name it after what it holds',
    ],
    ['host/a.ts', 'export default 1', 'host/a.ts has a default export: only test/vitest.config.ts may'],
    [
      'test/a.ts',
      'const a = 1; export { a as default }',
      'test/a.ts has a default export: only test/vitest.config.ts may',
    ],
    [
      'drivers/a.ts',
      '',
      'drivers/a.ts lies outside the folders of the product: address, store, host, ipam-driver, network-driver, cluster, plugin, cli, lab, errors.ts',
    ],
    [
      'host/a.ts',
      'const name = "x"; await import(name)',
      'host/a.ts imports what it computes: write the name, so that the rules can be checked',
    ],
  ])('%s: %s', (path, text, breaches) => {
    expect(findBreaches([{ path, text }]).join('\n')).toBe(breaches)
  })

  test('a ring of imports, once, also through types', () => {
    const files = [
      { path: 'host/a.ts', text: "import { b } from './b.ts'" },
      { path: 'host/b.ts', text: "import type { C } from './c.ts'" },
      { path: 'host/c.ts', text: "export * from './a.ts'; import { d } from './d.ts'" },
      { path: 'host/d.ts', text: "import { e } from './e.ts'" },
      { path: 'host/e.ts', text: '' },
    ]
    expect(findBreaches(files).join('\n')).toBe(
      'host/a.ts -> host/b.ts -> host/c.ts -> host/a.ts is a ring of imports',
    )
  })

  test('a file that cannot be parsed', () => {
    expect(() => findBreaches([{ path: 'host/a.ts', text: 'import {' }])).toThrow('Cannot read host/a.ts: ')
  })
})

test('findBreaches() reports nothing of what is allowed', () => {
  const allowed = [
    [
      'address/a.ts',
      "import ipaddr from 'ipaddr.js'; import { RomanaError } from '../errors.ts'; import './b.ts'",
    ],
    ['store/a.ts', "import 'node:sqlite'; import 'node:fs'; import 'valibot'; import '../address/ip.ts'"],
    ['host/processes.ts', "import { execa } from 'execa'; import { spawn } from 'node:child_process'"],
    ['ipam-driver/a.ts', "import '../store/store.ts'; import '../address/ip.ts'; import 'valibot'"],
    [
      'network-driver/a.ts',
      "import '../store/store.ts'; import '../host/marks.ts'; import '../address/ip.ts'",
    ],
    [
      'plugin/config.ts',
      "import 'hono'; import '@hono/node-server'; export const path = process.env['PATH']",
    ],
    [
      'plugin/a.ts',
      "import '../ipam-driver/a.ts'; import '../network-driver/a.ts'; process.exit(environment.env)",
    ],
    ['cli/main.ts', "import 'citty'; import '../address/ip.ts'; process.env['PATH']"],
    ['lab/command.ts', "import { execa } from 'execa'; import '../errors.ts'"],
    [
      'test/kernel/a.test.ts',
      "import 'execa'; import '../../host/marks.ts'; import '../../lab/up.ts'; process.env",
    ],
    ['bench/a.ts', "import 'node:child_process'; import '../plugin/config.ts'"],
    ['test/vitest.config.ts', 'export default {}'],
    ['errors.ts', 'export const index = 1'],
  ] as const
  expect(findBreaches(allowed.map(([path, text]) => ({ path, text }))).join('\n')).toBe('')
})
