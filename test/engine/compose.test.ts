/** docker compose, with the file of docs/: version 2 is a part of the docker command, version 1 a program. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandResult } from '../../lab/command.ts'
import type { LabHost } from '../../lab/lab-host.ts'
import { addressOf, createNetwork, IMAGE, type RomanaHost, startRomanaHost } from '../support/romana-host.ts'

const DOCUMENTED = readFileSync('docs/compose.yaml', 'utf8')
const SEGMENT = ['--ipam-opt', 'tenant=blue', '--ipam-opt', 'segment=web']
/** More than a tenant has segments. */
const ROUNDS = 20
const COMPOSE_TIMEOUT_MS = 60_000

/** The documented file, and what others may write. */
const FILES = {
  documented: DOCUMENTED,
  otherNetwork: DOCUMENTED.replaceAll('blue-web', 'blue-web-two'),
  noIpam: DOCUMENTED.replace(/^ +ipam:[\s\S]*/m, ''),
  options: `${DOCUMENTED}      options: {tenant: blue, segment: web}\n`,
}

describe.each([
  { release: 'sid', compose: ['docker', 'compose'], separator: '-', version: '2.' },
  { release: 'bookworm', compose: ['docker-compose'], separator: '_', version: '1.' },
] as const)('$compose of Debian $release', ({ release, compose, separator, version }) => {
  let romana: RomanaHost
  let host: LabHost

  beforeAll(async () => {
    romana = await startRomanaHost({ lab: `compose${release === 'sid' ? 28 : 20}`, release })
    host = romana.host
    await host.docker(['tag', IMAGE, 'busybox'])
    for (const [name, text] of Object.entries(FILES)) writeFileSync(host.rootPath(`/root/${name}.yaml`), text)
  })
  afterAll(() => romana?.lab.stop())

  it('is the version that it is here for', async () => {
    expect((await run('version', '--short')).stdout.replace('v', '')).toMatch(`${version}`)
  })

  it('brings the documented project up and down: names, MTU, and a second project of the segment', async () => {
    await createNetwork(host, 'blue-web', ...SEGMENT)
    await createNetwork(host, 'blue-web-two', ...SEGMENT)
    await project('one', 'documented', 'up', '--detach')
    await project('two', 'otherNetwork', 'up', '--detach')
    expect(await ask('one', 'client', 'web')).toBe('from web')
    expect(await ask('one', 'job', 'db')).toBe('from db')
    const [web, db] = [await addressIn('one', 'web'), await addressIn('one', 'db')]
    expect(await ask('two', 'client', web)).toBe('from web')
    await expect(ask('two', 'job', db)).rejects.toThrow('exit code')
    await expect(ask('one', 'job', web)).rejects.toThrow('exit code')
    const link = await project('one', 'documented', 'exec', '-T', 'job', 'ip', 'link', 'show', 'eth0')
    expect(link.stdout).toContain('mtu 1400')
    const segment = ['one', 'two'].flatMap((name) => [addressIn(name, 'web'), addressIn(name, 'client')])
    expect((await Promise.all(segment)).toSorted()).toEqual([2, 3, 4, 5].map((last) => `10.1.17.${last}`))
    await project('one', 'documented', 'up', '--detach', '--force-recreate')
    expect(await ask('one', 'client', 'web')).toBe('from web')
    await project('one', 'documented', 'down')
    await project('two', 'otherNetwork', 'down')
    expect(await romanaNetworks()).toEqual(['blue-web', 'blue-web-two'])
  })

  it(`goes up and down ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      await project('round', 'documented', 'up', '--detach')
      await project('round', 'documented', 'down')
    }
    expect(await romanaNetworks()).toEqual(['blue-web', 'blue-web-two'])
  })

  it('says what to type when a project has no ipam driver', async () => {
    await expect(project('wrong', 'noIpam', 'up', '--detach')).rejects.toThrow(
      'docker network create -d romana --ipam-driver romana',
    )
  })

  it(`networks are made and pruned ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      await createNetwork(host, 'unused')
      expect((await host.docker(['network', 'prune', '--force'])).stdout).toContain('unused')
    }
    expect((await host.run('ip', ['rule', 'show'])).stdout).not.toContain('8200')
  })

  function project(
    name: string,
    file: keyof typeof FILES,
    ...command: readonly string[]
  ): Promise<CommandResult> {
    return run('--project-name', name, '--file', `/root/${file}.yaml`, ...command)
  }

  function run(...args: readonly string[]): Promise<CommandResult> {
    const [program = '', ...before] = compose
    return host.runInside(program, [...before, ...args], { timeoutMs: COMPOSE_TIMEOUT_MS })
  }

  async function ask(name: string, from: string, whom: string): Promise<string> {
    const wget = ['timeout', '2', 'wget', '-q', '-O', '-', `http://${whom}`]
    return (await project(name, 'documented', 'exec', '-T', from, ...wget)).stdout
  }

  function addressIn(projectName: string, service: string): Promise<string> {
    return addressOf(host, [projectName, service, '1'].join(separator))
  }

  async function romanaNetworks(): Promise<string[]> {
    const { stdout } = await host.docker([
      'network',
      'ls',
      '--format',
      '{{.Name}}',
      '--filter',
      'driver=romana',
    ])
    return stdout.split('\n').toSorted()
  }
})

it('docker-compose 1 also makes networks of a named segment', async () => {
  await using romana = await startRomanaHost({ lab: 'composeopt', release: 'bookworm' })
  const { host } = romana
  await host.docker(['tag', IMAGE, 'busybox'])
  writeFileSync(host.rootPath('/root/compose.yaml'), FILES.options)
  await createNetwork(host, 'blue-web', ...SEGMENT)
  await host.runInside('docker-compose', [
    '--project-name',
    'one',
    '--file',
    '/root/compose.yaml',
    'up',
    '-d',
  ])
  expect(await addressOf(host, 'one_db_1')).toMatch(/^10\.1\.17\./)
})
