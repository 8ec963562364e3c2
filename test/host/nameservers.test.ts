import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ForeignNetwork } from '../../host/host-state.ts'
import { observeNameservers, parseNameservers, type ResolverFiles } from '../../host/nameservers.ts'

const show = (found: readonly ForeignNetwork[]) =>
  found.map(({ cidr, seenAs }) => `${cidr}: ${seenAs}`).join('\n')

describe('resolv.conf', () => {
  it('gives each nameserver as a network of its own', () => {
    const text = `# nameserver 192.0.2.1
; nameserver 192.0.2.2
search example.org
nameserver 10.255.255.53
nameserver  2001:db8::53
options ndots:1
`
    expect(show(parseNameservers(text, '/f'))).toBe(
      '10.255.255.53/32: nameserver 10.255.255.53 in /f\n2001:db8::53/128: nameserver 2001:db8::53 in /f',
    )
  })

  it.each([
    ['  nameserver 10.9.0.53', '10.9.0.53/32'],
    ['\tnameserver\t10.9.0.53\t', '10.9.0.53/32'],
    ['nameserver 10.9.0.53 # the office', '10.9.0.53/32'],
    ['nameserver 10.9.0.53#office', '10.9.0.53/32'],
    ['nameserver 10.9.0.53 ; the office', '10.9.0.53/32'],
    ['nameserver 10.9.0.53\r', '10.9.0.53/32'],
    ['nameserver ::ffff:10.9.0.53', '10.9.0.53/32'],
    ['nameserver fe80::1%eth0', 'fe80::1/128'],
  ])('may read %j', (line, cidr) => {
    expect(parseNameservers(line, '/f').map((found) => String(found.cidr))).toEqual([cidr])
  })

  it.each([
    'nameserver',
    'nameserver 10.1',
    'nameserver 010.1.2.3',
    'nameserver 10.1.2.256',
    'nameserver ::ffff:a01:203',
    'nameserver dns.example.org',
    'nameservers 10.9.0.53',
    'domain nameserver 10.9.0.53',
  ])('loses nothing but its own line to "%s"', (line) => {
    const text = `${line}\nnameserver 10.9.0.53`
    expect(show(parseNameservers(text, '/f'))).toBe('10.9.0.53/32: nameserver 10.9.0.53 in /f')
  })
})

describe('the nameservers of a host', () => {
  const STUB = 'nameserver 127.0.0.53\noptions edns0 trust-ad\n'
  const SYSTEMD = 'run/systemd/resolve/resolv.conf'

  /** @param content texts by path, or where a link leads: "-> ../run/any". */
  async function makeFiles(content: Readonly<Record<string, string>>): Promise<ResolverFiles> {
    const directory = await mkdtemp(`${tmpdir()}/romana-resolver-`)
    onTestFinished(() => rm(directory, { recursive: true }))
    for (const [name, text] of Object.entries(content)) {
      const path = `${directory}/${name}`
      await mkdir(dirname(path), { recursive: true })
      await (text.startsWith('-> ') ? symlink(text.slice(3), path) : writeFile(path, text))
    }
    return { etc: `${directory}/etc`, run: `${directory}/run`, mounted: `${directory}/mounted` }
  }

  const OFFICE = 'nameserver 10.9.0.53 in /etc/resolv.conf'
  const BEHIND = 'nameserver 10.7.0.53 in /run/systemd/resolve/resolv.conf'

  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['of its resolv.conf', { 'etc/resolv.conf': 'nameserver 10.9.0.53' }, [OFFICE]],
    [
      'that systemd-resolved asks, when resolv.conf names nothing but that',
      { 'etc/resolv.conf': STUB, [SYSTEMD]: 'nameserver 10.7.0.53' },
      [BEHIND],
    ],
    [
      'of resolv.conf, when that names others beside systemd-resolved',
      { 'etc/resolv.conf': `${STUB}nameserver 10.9.0.53\n`, [SYSTEMD]: 'nameserver 10.7.0.53' },
      ['nameserver 127.0.0.53 in /etc/resolv.conf', OFFICE],
    ],
    [
      'of resolv.conf, when another program answers on the loopback',
      { 'etc/resolv.conf': 'nameserver 127.0.0.1', [SYSTEMD]: 'nameserver 10.7.0.53' },
      ['nameserver 127.0.0.1 in /etc/resolv.conf'],
    ],
    [
      'behind a link relative to /etc',
      {
        'etc/resolv.conf': '-> ../run/systemd/resolve/stub-resolv.conf',
        'run/systemd/resolve/stub-resolv.conf': STUB,
        [SYSTEMD]: 'nameserver 10.7.0.53',
        mounted: 'nameserver 10.8.0.53',
      },
      [BEHIND],
    ],
    [
      'behind an absolute link',
      { 'etc/resolv.conf': '-> /var/run/dhcp/resolv.conf', 'run/dhcp/resolv.conf': 'nameserver 10.9.0.53' },
      [OFFICE],
    ],
    [
      'of the now, not of the file that the engine mounted',
      { 'etc/resolv.conf': 'nameserver 10.9.0.53', mounted: 'nameserver 10.8.0.53' },
      [OFFICE],
    ],
    [
      'of the file that the engine mounted, when a link leads where the plugin sees nothing',
      { 'etc/resolv.conf': '-> /mnt/wsl/resolv.conf', mounted: 'nameserver 10.9.0.53' },
      [OFFICE],
    ],
    ['are none where systemd-resolved has written no file', { 'etc/resolv.conf': STUB }, []],
    ['are none without a resolv.conf', {}, []],
  ])('are those %s', async (_which, content, found) => {
    const seen = await observeNameservers(await makeFiles(content))
    expect(seen.map(({ seenAs }) => seenAs)).toEqual(found)
  })
})
