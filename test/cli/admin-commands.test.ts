import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { romana } from '../../cli/romana.ts'
import { RomanaError } from '../../errors.ts'
import type { RunOptions } from '../contract/docker-engine.ts'
import { type AdminHost, startAdmin } from '../plugin/admin-steps.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const WEB = { tenant: 'blue', segment: 'web' }

let host: AdminHost
beforeEach(async () => {
  host = await startAdmin()
})
afterEach(() => host[Symbol.asyncDispose]())

/** "0 text" for the words of a line: what is printed behind the exit code, "1! text" when it goes to standard error. */
async function type(line: string, socket = host.socket): Promise<string> {
  const { exitCode, text, isFailure } = await romana([...line.split(' '), '--socket', socket])
  return `${exitCode}${isFailure === true ? '!' : ''} ${text}`
}

async function typeJson(line: string): Promise<unknown> {
  return JSON.parse((await romana([...line.split(' '), '--json', '--socket', host.socket])).text)
}

/** A running container e1 on network n1 of segment web of tenant blue. */
async function runContainer(options: RunOptions = {}): Promise<void> {
  const { engine } = host.romana
  const id = '0123456789abcdef'.repeat(4)
  await engine.run(`e${id.slice(1)}`, await engine.createNetwork(`a${id.slice(1)}`, WEB), options)
}

describe('romana tenant', () => {
  test('add, list and remove', async () => {
    expect(await type('tenant list')).toBe('0 TENANT  NUMBER  SEGMENTS\n')
    expect(await type('tenant add blue')).toBe('0 Tenant blue has number 1\n')
    await type('tenant add dark-green')
    await type('segment add blue web')
    expect(await type('tenant list')).toBe(`\
0 TENANT      NUMBER  SEGMENTS
blue        1       1
dark-green  2       0
`)
    expect(await type('tenant remove dark-green')).toBe('0 Removed tenant dark-green\n')
    expect(await type('tenant remove dark-green')).toBe(
      '1! Cannot remove tenant "dark-green": there is none of this name. The names are in: romana tenant list, romana segment list (E_SEGMENT_UNKNOWN)\n',
    )
  })

  test('--json', async () => {
    expect(await typeJson('tenant add blue')).toEqual({ name: 'blue', number: 1, segments: 0 })
    expect(await typeJson('tenant list')).toEqual([{ name: 'blue', number: 1, segments: 0 }])
    expect(await typeJson('tenant remove blue')).toEqual({})
  })
})

describe('romana segment', () => {
  test('add, list and remove', async () => {
    expect(await type('segment list')).toBe('0 TENANT  SEGMENT  NUMBERS  CELL HERE  HOSTS\n')
    expect(await type('segment add blue db')).toBe(
      '0 Segment db of tenant blue has 10.1.17.0/24 on this host\n',
    )
    await runContainer()
    expect(await type('segment list')).toBe(`\
0 TENANT  SEGMENT  NUMBERS  CELL HERE     HOSTS
blue    db       1.1      10.1.17.0/24  -
blue    web      1.2      10.1.18.0/24  1
`)
    expect(await type('segment remove blue db')).toBe('0 Removed segment db of tenant blue\n')
    expect(await type('segment remove blue web')).toMatch(
      /^1! Cannot remove segment "web" of tenant "blue": it has networks on host 1 .*\(E_SEGMENT_IN_USE\)\n$/,
    )
  })

  test('--json', async () => {
    const web = { tenant: 'blue', tenantNumber: 1, name: 'web', number: 1, cell: '10.1.17.0/24', hosts: [] }
    expect(await typeJson('segment add blue web')).toEqual(web)
    expect(await typeJson('segment list')).toEqual([web])
    expect(await typeJson('segment remove blue web')).toEqual({})
  })
})

describe('romana network list and endpoint list', () => {
  test('show what this host has', async () => {
    await runContainer()
    expect(await type('network list')).toBe(`\
0 NETWORK       TENANT  SEGMENT  CELL          GATEWAY    INTERNAL  ENDPOINTS  NAME
a123456789ab  blue    web      10.1.17.0/24  10.1.17.1  no        1          -
`)
    expect(await type('endpoint list')).toBe(`\
0 ENDPOINT      NETWORK       TENANT  SEGMENT  ADDRESS    LINK
e123456789ab  a123456789ab  blue    web      10.1.17.2  rmne1
`)
  })

  test('--json, with whole ids', async () => {
    await runContainer()
    const networkId = 'a123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'
    expect(await typeJson('network list')).toEqual([
      {
        networkId,
        ...WEB,
        cell: '10.1.17.0/24',
        gateway: '10.1.17.1',
        auxiliary: [],
        internal: false,
        endpoints: 1,
      },
    ])
    expect(await typeJson('endpoint list')).toMatchObject([{ networkId, address: '10.1.17.2', joined: true }])
  })
})

describe('romana network remove', () => {
  test('says what it removed, or why not', async () => {
    await runContainer()
    await host.romana.engine.createNetwork('b1')
    expect(await type('network remove b')).toBe('0 Removed network b1 of segment auto-1 of tenant default\n')
    expect(await type('network remove a1')).toMatch(
      /^1! Cannot .*: containers are on it: 10\.1\.17\.2\. .*\(E_NETWORK_IN_USE\)\n$/,
    )
    expect(await type('network remove a/b')).toMatch(
      /^1! Cannot remove the network "a\/b": .*\(E_NETWORK_UNKNOWN\)\n$/,
    )
  })

  test('the list says which Docker does not have any more', async () => {
    const networks = () => Promise.resolve([{ id: 'n1', name: 'blue-web' }])
    await using asking = await startAdmin({}, undefined, undefined, { networks })
    for (const id of ['n1', 'n2']) await asking.romana.engine.createNetwork(id, WEB)
    expect(await type('network list', asking.socket)).toBe(`\
0 NETWORK  TENANT  SEGMENT  CELL          GATEWAY    INTERNAL  ENDPOINTS  NAME
n1       blue    web      10.1.17.0/24  10.1.17.1  no        0          blue-web
n2       blue    web      10.1.17.0/24  10.1.17.1  no        0          (gone)
`)
  })
})

describe('romana ports', () => {
  const published = { ports: [{ Proto: 6, Port: 80, HostPort: 8080 }] }

  test('shows what containers publish, and what is lost', async () => {
    await runContainer(published)
    expect(await type('ports')).toBe(`\
0 ENDPOINT      NETWORK       HOST          CONTAINER         RESERVED
e123456789ab  a123456789ab  0.0.0.0:8080  10.1.17.2:80/tcp  yes
`)
  })

  test('--json', async () => {
    await runContainer(published)
    expect(await typeJson('ports')).toMatchObject([
      {
        protocol: 'tcp',
        hostAddress: '0.0.0.0',
        hostPort: 8080,
        address: '10.1.17.2',
        containerPort: 80,
        reserved: true,
      },
    ])
  })
})

describe('romana status', () => {
  test('of a plugin that is ready', async () => {
    await runContainer()
    expect(await type('status')).toBe(`\
0 state      ready
host       1
plan       10.0.0.0/8 8/4/4/8
tenants    1
segments   1, made on first use
networks   1 on this host
endpoints  1 on this host
`)
    expect(await typeJson('status')).toMatchObject({ ready: true, host: 1, createSegments: true })
  })

  test('of a plugin whose store does not answer', async () => {
    await using away = await startAdmin({}, undefined, { isReached: false, trouble: 'nobody is there' })
    expect(await type('status', away.socket)).toBe(`\
0 state      ready
host       1
plan       10.0.0.0/8 8/4/4/8
cluster    its store does not answer: nobody is there
tenants    unknown
segments   unknown, made on first use
networks   0 on this host
endpoints  0 on this host
`)
  })

  test('of a plugin that is not', async () => {
    const wrong = new RomanaError('E_CONFIG', { cannot: 'use the settings', because: 'they are wrong' })
    await using failed = await startAdmin({}, () => Promise.reject(wrong))
    expect(await type('status', failed.socket)).toBe(`\
1 state   not ready
reason  Cannot use the settings: they are wrong (E_CONFIG)
`)
    expect(await type('plan', failed.socket)).toBe('1! Cannot use the settings: they are wrong (E_CONFIG)\n')
  })
})

describe('romana plan', () => {
  test('finds a host as recorded', async () => {
    await runContainer()
    expect(await type('plan')).toBe('0 Nothing: the host is as recorded\n')
    expect(await typeJson('plan')).toEqual({ plan: '' })
  })

  test('finds what somebody else took away', async () => {
    await runContainer()
    host.romana.kernel.ip('route delete 10.1.17.2/32 dev rmne1 table 8200 protocol 82')
    const plan = '# ip -batch\nroute add 10.1.17.2/32 dev rmne1 table 8200 protocol 82\n'
    expect(await type('plan')).toBe(`1 ${plan}`)
    expect(await typeJson('plan')).toEqual({ plan })
  })
})

describe('a command of the admin API', () => {
  test.each([
    ['tenant add a/b', 'Cannot use "a/b" as the name of a tenant: a name must be 1 to 32 letters'],
    ['segment remove blue a/b', 'Cannot use "a/b" as the name of a segment: '],
  ])('%s is typed wrongly', async (line, message) => {
    expect(await type(line)).toContain(`2! ${message}`)
  })

  test.each([
    ['tenant', 'Unknown command: tenant'],
    ['tenant lst', 'Unknown command: tenant lst'],
    ['tenant add', 'Missing required positional argument: TENANT'],
    ['segment add blue', 'Missing required positional argument: SEGMENT'],
    ['segment add blue web db', 'Unexpected: db'],
    ['tenant list blue', 'Unexpected: blue'],
    ['status --jsno', 'Unknown option: --jsno'],
  ])('%s is not understood', async (line, problem) => {
    const { exitCode, text, isFailure } = await romana(line.split(' '))
    expect(text).toMatch(/^USAGE romana (tenant|segment|status)/m)
    expect([exitCode, isFailure, text.split('\n').at(-2)]).toEqual([2, true, problem])
  })

  test('says so when there is no plugin', async () => {
    expect(await type('status', '/nowhere/admin.sock')).toBe(
      '1! Cannot ask the plugin at /nowhere/admin.sock: connect ENOENT /nowhere/admin.sock. The command runs as root on a host where the plugin is enabled: see docker plugin ls (E_PLUGIN_AWAY)\n',
    )
  })

  test.each([
    ['{"ready":"yes"}', 'its answer is that of another version'],
    ['junk', 'Unexpected token'],
  ])('says so when the answer is %s', async (answer, reason) => {
    const directory = await mkdtemp(`${tmpdir()}/romana-cli-`)
    const socket = `${directory}/other.sock`
    const server = createServer((_request, response) => response.end(answer))
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    try {
      expect(await type('status', socket)).toContain(`1! Cannot ask the plugin at ${socket}: ${reason}`)
    } finally {
      server.close()
      await rm(directory, { recursive: true })
    }
  })

  test('prints to standard error what could not be done, and nothing else', async () => {
    const words = ['tenant', 'remove', 'blue', '--socket', host.socket]
    const result = await execa(process.execPath, [MAIN, ...words], { reject: false })
    expect(result).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('(E_SEGMENT_UNKNOWN)'),
    })
  })
})

describe('romana policy', () => {
  const file = () => `${host.socket}.json`
  const policy = {
    name: 'db-from-web',
    direction: 'ingress',
    appliesTo: [
      { tenant: 'blue', segment: 'db' },
      { tenant: 'blue', segment: 'web' },
    ],
    default: 'deny',
    peers: [{ tenant: 'blue' }],
    rules: [{ protocol: 'tcp', ports: [5432] }],
  }

  test('apply, list, show and remove', async () => {
    await type('segment add blue web')
    await type('segment add blue db')
    await writeFile(file(), JSON.stringify({ policies: [policy] }))
    expect(await type(`policy apply ${file()} --check`)).toBe('0 would be created  db-from-web\n')
    expect(await type('policy list')).toBe('0 POLICY  DIRECTION  DEFAULT  PEERS  APPLIES TO\n')
    expect(await type(`policy apply ${file()}`)).toBe('0 created  db-from-web\n')
    expect(await type(`policy apply ${file()}`)).toBe('0 unchanged  db-from-web\n')
    expect(await type('policy list')).toBe(`\
0 POLICY       DIRECTION  DEFAULT  PEERS  APPLIES TO
db-from-web  ingress    deny     1      blue/db,blue/web
`)
    expect(await typeJson('policy list')).toEqual([policy])
    expect(await typeJson('policy show db-from-web')).toEqual({ policies: [policy] })
    expect(await type('policy remove db-from-web')).toBe('0 Removed policy db-from-web\n')
    expect(await type('policy remove db-from-web')).toMatch(/^1! .*E_POLICY_UNKNOWN/)
  })

  test('what cannot be read or used is said', async () => {
    expect(await type('policy apply /nowhere.json')).toBe(
      '2! Cannot read the policies of "/nowhere.json": ENOENT: no such file or directory, open \'/nowhere.json\'. It is a JSON object: docs/policies.md has its form (E_POLICY)\n',
    )
    await writeFile(file(), JSON.stringify({ policies: [policy] }))
    expect(await type(`policy apply ${file()}`)).toMatch(
      /^2! Cannot use the policies: policies\[0\]\.appliesTo\[0\]\.tenant: there is no tenant "blue"/,
    )
  })
})
