import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { romana } from '../../cli/romana.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

describe('romana runs', () => {
  test.each([
    ['address 10.1.17.5', 'it is        an endpoint\n'],
    ['address --json 10.1.17.5', '  "kind": "endpoint",\n'],
    ['address 10.1.17.5 --json', '  "kind": "endpoint",\n'],
    ['address 192.168.80.5 --plan=192.168.0.0/16|0/2/2/12', 'host prefix  192.168.0.0/16\n'],
    ['address 192.168.80.5 --plan 192.168.0.0/16|0/2/2/12', 'host prefix  192.168.0.0/16\n'],
    ['address-plan', 'plan          10.0.0.0/8 8/4/4/8\n'],
    ['address-plan 100.64.0.0/10|6/4/4/8 --json', '  "hosts": 63,\n'],
    ['--help', '    address-plan    Show how many hosts'],
    ['-h', '    address-plan    Show how many hosts'],
    ['tenant --help', 'USAGE romana tenant list|tenant add|tenant remove\n'],
    ['tenant add --help', 'USAGE romana tenant add [OPTIONS] <TENANT>\n'],
    ['address --help', 'USAGE romana address [OPTIONS] <ADDRESS>\n'],
    ['address-plan -h', 'USAGE romana address-plan [OPTIONS] [PLAN]\n'],
  ])('%s', async (line, part) => {
    const { exitCode, text } = await romana(wordsOf(line))
    expect(text).toContain(part)
    expect(exitCode).toBe(0)
  })
})

describe('romana refuses', () => {
  test.each([
    ['', 'No command'],
    ['adress 10.1.17.5', 'Unknown command: adress'],
    ['toString', 'Unknown command: toString'],
    ['address', 'Missing required positional argument: ADDRESS'],
    ['address --plan 10.1.17.5', 'Missing required positional argument: ADDRESS'],
    ['address 10.1.17.5 10.1.17.6', 'Unexpected: 10.1.17.6'],
    ['address 10.1.17.5 --jsno', 'Unknown option: --jsno'],
    ['address 10.1.17.5 -j', 'Unknown option: -j'],
    ['address-plan 10.0.0.0/8 8/4/4/8', 'Unexpected: 8/4/4/8'],
    ['address-plan --plan 10.0.0.0/8|8/4/4/8', 'Unknown option: --plan'],
  ])('"%s" and prints the usage: %s', async (line, problem) => {
    const { exitCode, text } = await romana(wordsOf(line))
    expect(text).toMatch(/^USAGE romana /m)
    expect(text.split('\n').at(-2)).toBe(problem)
    expect(exitCode).toBe(2)
  })

  test.each([
    [
      'address 10.1',
      'Cannot read the address "10.1": it is neither an IPv4 address such as 10.1.17.5 nor an IPv6 address such as fd00::5 (E_ADDRESS)\n',
    ],
    [
      'address-plan 10.0.0.0/8|8/4/4/9',
      'Cannot use the address plan "10.0.0.0/8 8/4/4/9": prefix and widths must add up to 32 bits: they add up to 33. Write it like "10.0.0.0/8 8/4/4/8" (E_PLAN)\n',
    ],
  ])('"%s" with the reason', async (line, text) => {
    expect(await romana(wordsOf(line))).toEqual({ exitCode: 2, text, isFailure: true })
  })
})

describe('the process of romana', () => {
  test.each([
    ['address 10.1.17.1', 0, /^address {6}10\.1\.17\.1\n[\s\S]*gateway of its cell\n$/, /^$/],
    ['address 192.0.2.1', 1, /outside the plan\n$/, /^$/],
    ['address 10.1', 2, /^$/, /^Cannot read the address "10\.1": .*\(E_ADDRESS\)\n$/],
  ])('%s exits with %i', async (line, exitCode, stdout, stderr) => {
    const result = await execa(process.execPath, [MAIN, ...wordsOf(line)], {
      reject: false,
      stripFinalNewline: false,
    })
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
    expect(result.exitCode).toBe(exitCode)
  })
})

/** The words of a command line; "|" stands for a space inside a word. */
function wordsOf(line: string): string[] {
  return line
    .split(' ')
    .filter(Boolean)
    .map((word) => word.replaceAll('|', ' '))
}
