import { describe, expect, test } from 'vitest'
import { findIptablesVariant } from '../../host/iptables-variant.ts'
import { commandError, type RunCommand } from '../../host/processes.ts'

const DOCKER = '*filter\n:INPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n:DOCKER-USER - [0:0]\nCOMMIT\n'
const SWARM = '*filter\n:DOCKER-INGRESS - [0:0]\nCOMMIT\n'
const OTHERS =
  '*filter\n:INPUT ACCEPT [0:0]\n:MY-DOCKER - [0:0]\n-A INPUT -m comment --comment ":DOCKER " -j MY-DOCKER\nCOMMIT\n'
/** A kernel without that variant. */
const ABSENT = undefined

function saving(saved: Readonly<Record<string, string | undefined>>): RunCommand {
  return ({ file, args }) => {
    const text = args.length === 0 ? saved[file] : undefined
    return text === undefined
      ? Promise.reject(commandError(file, 'Table does not exist'))
      : Promise.resolve(text)
  }
}

describe('the variant is', () => {
  test.each([
    ['nft', 'neither has rules', '', ''],
    ['nft', 'nft has those of Docker', DOCKER, ''],
    ['legacy', 'legacy has those of Docker', '', DOCKER],
    ['legacy', 'legacy has those of a swarm only', OTHERS, SWARM],
    ['nft', 'both have those of Docker', DOCKER, DOCKER],
    ['nft', 'only others have rules in legacy', '', OTHERS],
    ['nft', 'legacy is absent', DOCKER, ABSENT],
    ['legacy', 'nft is absent and legacy has those of Docker', ABSENT, DOCKER],
    ['nft', 'both are absent', ABSENT, ABSENT],
  ])('%s where %s', async (variant, _case, nft, legacy) => {
    const run = saving({ 'iptables-nft-save': nft, 'iptables-legacy-save': legacy })
    expect(await findIptablesVariant(run)).toBe(variant)
  })
})
