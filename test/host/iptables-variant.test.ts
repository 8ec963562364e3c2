import { describe, expect, test } from 'vitest'
import { findIptables, programName } from '../../host/iptables-variant.ts'
import { commandError, type RunCommand } from '../../host/processes.ts'

/** A kernel where these programs work. */
function kernelWith(...files: readonly string[]): RunCommand {
  return ({ file, args }) =>
    files.includes(file) && args.length === 0
      ? Promise.resolve('')
      : Promise.reject(commandError(file, 'Table does not exist'))
}

describe('the iptables of a kernel are those that can read their rules', () => {
  test.each([
    ['iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy'],
    ['iptables-nft ip6tables-nft'],
    ['iptables-legacy ip6tables-legacy'],
    ['iptables-nft iptables-legacy'],
  ])('%s', async (programs) => {
    const found = await findIptables(kernelWith(...programs.split(' ').map((name) => `${name}-save`)))
    expect(found.map(programName).join(' ')).toBe(programs)
  })

  test('a kernel without any cannot carry Romana', async () => {
    await expect(findIptables(kernelWith())).rejects.toThrow(
      'Cannot keep tenants apart with iptables: neither iptables-nft nor iptables-legacy works on this kernel. ' +
        'Load the kernel module nf_tables or ip_tables (E_HOST)',
    )
  })
})
