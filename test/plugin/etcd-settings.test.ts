import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadEtcdOptions, readEtcdSettings } from '../../plugin/etcd-settings.ts'

const ENDPOINTS = 'https://192.0.2.10:2379, https://etcd.example:2379/'

/** What is wrong, a line each. */
function problemsOf(settings: Readonly<Record<string, string>>): string {
  const problems: string[] = []
  readEtcdSettings((name) => settings[name], problems)
  return problems.join('\n')
}

describe('the settings of etcd', () => {
  it('are none on a single host', () => {
    expect(readEtcdSettings(() => undefined, [])).toBeUndefined()
  })

  it('name members, certificates and a user', () => {
    const set: Record<string, string> = {
      ROMANA_ETCD_ENDPOINTS: ENDPOINTS,
      ROMANA_ETCD_CA: 'ca.pem',
      ROMANA_ETCD_CERT: 'host.pem',
      ROMANA_ETCD_KEY: 'host.key',
      ROMANA_ETCD_USER: 'romana',
      ROMANA_ETCD_PASSWORD_FILE: 'password',
    }
    const problems: string[] = []
    expect(readEtcdSettings((name) => set[name], problems)).toEqual({
      endpoints: ['https://192.0.2.10:2379', 'https://etcd.example:2379'],
      prefix: '/romana',
      caFile: 'ca.pem',
      certFile: 'host.pem',
      keyFile: 'host.key',
      user: 'romana',
      passwordFile: 'password',
    })
    expect(problems).toEqual([])
  })

  it.each<[string, Record<string, string>]>([
    ['ROMANA_ETCD_USER is set without ROMANA_ETCD_ENDPOINTS', { ROMANA_ETCD_USER: 'romana' }],
    [
      'ROMANA_ETCD_ENDPOINTS: "192.0.2.10:2379" is not a URL such as https://192.0.2.10:2379',
      { ROMANA_ETCD_ENDPOINTS: '192.0.2.10:2379' },
    ],
    [
      'ROMANA_ETCD_ENDPOINTS: "http://192.0.2.10" is not a URL such as https://192.0.2.10:2379',
      { ROMANA_ETCD_ENDPOINTS: 'http://192.0.2.10' },
    ],
    [
      'ROMANA_ETCD_ENDPOINTS: all begin with https, or none',
      { ROMANA_ETCD_ENDPOINTS: 'http://a:1,https://b:1' },
    ],
    [
      'ROMANA_ETCD_PREFIX: "romana" is not a path such as /romana',
      { ROMANA_ETCD_ENDPOINTS: ENDPOINTS, ROMANA_ETCD_PREFIX: 'romana' },
    ],
    [
      'ROMANA_ETCD_CA, _CERT and _KEY are for endpoints that begin with https',
      { ROMANA_ETCD_ENDPOINTS: 'http://a:1', ROMANA_ETCD_CA: 'ca.pem' },
    ],
    [
      'ROMANA_ETCD_CERT and ROMANA_ETCD_KEY belong together',
      { ROMANA_ETCD_ENDPOINTS: ENDPOINTS, ROMANA_ETCD_CA: 'ca', ROMANA_ETCD_CERT: 'c' },
    ],
    [
      'ROMANA_ETCD_CA: "../ca.pem" is not the name of a file in /var/lib/romana/tls',
      { ROMANA_ETCD_ENDPOINTS: ENDPOINTS, ROMANA_ETCD_CA: '../ca.pem' },
    ],
    [
      'ROMANA_ETCD_USER and its password belong together',
      { ROMANA_ETCD_ENDPOINTS: ENDPOINTS, ROMANA_ETCD_USER: 'romana' },
    ],
    [
      'ROMANA_ETCD_PASSWORD and ROMANA_ETCD_PASSWORD_FILE are both set',
      {
        ROMANA_ETCD_ENDPOINTS: ENDPOINTS,
        ROMANA_ETCD_USER: 'u',
        ROMANA_ETCD_PASSWORD: 'p',
        ROMANA_ETCD_PASSWORD_FILE: 'f',
      },
    ],
  ])('are refused: %s', (problem, settings) => {
    expect(problemsOf(settings)).toBe(problem)
  })
})

describe('the files of the settings', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'romana-tls-'))
    for (const [name, text] of Object.entries({
      'ca.pem': 'CA',
      'host.pem': 'CERT',
      'host.key': 'KEY',
      secret: 'pass\n',
    }))
      writeFileSync(join(directory, name), text)
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  it('are read when the plugin starts', async () => {
    const settings = { endpoints: ['https://a:1'], prefix: '/romana' }
    const files = { caFile: 'ca.pem', certFile: 'host.pem', keyFile: 'host.key', passwordFile: 'secret' }
    const options = await loadEtcdOptions({ ...settings, ...files, user: 'romana' }, directory)
    const { tls, credentials } = options
    expect([tls?.ca, tls?.cert, tls?.key].map(String)).toEqual(['CA', 'CERT', 'KEY'])
    expect(credentials).toEqual({ username: 'romana', password: 'pass' })
  })

  it('are missed by name', async () => {
    const settings = { endpoints: ['https://a:1'], prefix: '/romana', caFile: 'none.pem' }
    await expect(loadEtcdOptions(settings, directory)).rejects.toThrow(
      /^Cannot read the file "none.pem" that the settings of etcd name: ENOENT.* Put it into .*romana\/tls.* \(E_CONFIG\)$/,
    )
  })
})
