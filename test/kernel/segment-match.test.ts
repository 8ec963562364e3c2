/** What this kernel can do, and an iptables that lacks the match. */
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunCommand } from '../../host/processes.ts'
import { makeFindSegmentMatch } from '../../host/segment-match.ts'
import { makeNetnsSet } from '../support/netns.ts'
import { type KernelHost, openKernelHost, VARIANTS } from './kernel-host.ts'

const namespaces = makeNetnsSet()
afterAll(() => namespaces.removeAll())

describe.each(VARIANTS)('through iptables-%s', (variant) => {
  let kernel: KernelHost
  beforeAll(async () => {
    kernel = await openKernelHost(namespaces, variant)
    await kernel.restore('*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n')
  })

  function find(run: RunCommand): Promise<string> {
    const onFound = () => undefined
    return makeFindSegmentMatch({ run, setting: 'auto', onFound })(variant, { firewall: [] })
  }

  test('the match is found, and nothing is left of the trial', async () => {
    const before = await kernel.show()
    expect(await find(kernel.netns.run)).toBe('bpf')
    expect(await kernel.show()).toBe(before)
  })

  test('where it is missing, masks are used, and nothing is left either', async () => {
    const before = await kernel.show()
    expect(await find(await withoutBpf(kernel.netns.run))).toBe('masks')
    expect(await kernel.show()).toBe(before)
  })
})

/** The same programs with all their extensions but that one. */
async function withoutBpf(run: RunCommand): Promise<RunCommand> {
  const extensions = (await run({ file: 'find', args: ['/usr/lib', '-name', 'libxt_bpf.so'] })).trim()
  const all = join(extensions, '..')
  const some = mkdtempSync(join(tmpdir(), 'romana-xtables-'))
  namespaces.defer(() => rmSync(some, { recursive: true }))
  for (const name of readdirSync(all)) {
    if (name !== 'libxt_bpf.so') symlinkSync(join(all, name), join(some, name))
  }
  return ({ file, args, ...rest }) =>
    run({ file: 'env', args: [`XTABLES_LIBDIR=${some}`, file, ...args], ...rest })
}
