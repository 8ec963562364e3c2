/** An etcd of several members on hosts of the lab, with certificates and users, as the hosts of a cluster share it. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Authority, makeAuthority } from './certificates.ts'
import type { LabHost } from './lab-host.ts'
import { waitUntil } from './wait-until.ts'

const START_TIMEOUT_MS = 60_000
const CLIENT_PORT = 2379
const PEER_PORT = 2380
const FILES = '/etc/etcd'
const DATA = '/var/lib/etcd-lab'
/** Where Romana looks for certificates on a host. */
const ROMANA_FILES = '/var/lib/romana/tls'
const USER = 'romana'
const ROOT_PASSWORD = 'root-of-the-lab'
const PASSWORD = 'secret-of-the-lab'

/** A running etcd. */
export interface EtcdCluster {
  /** The settings of the plugin. Each host that is to use them needs {@link EtcdCluster.equip}. */
  readonly settings: Readonly<Record<string, string>>
  /** Gives a host a certificate and the password. */
  equip(host: LabHost): Promise<void>
  /** Runs etcdctl as root of etcd, against the members that run. @throws ExecaError */
  ctl(args: readonly string[], input?: string): Promise<string>
  /** Ends a member at once; its data stays. */
  kill(member: LabHost): Promise<void>
  /** Starts a member again that was ended, and waits for the etcd; not where too few run yet for it to answer. */
  revive(member: LabHost, wait?: boolean): Promise<void>
  /** Waits until a majority answers. */
  waitUntilHealthy(): Promise<void>
  /** The member that leads. @throws Error when there is none */
  leader(): Promise<LabHost>
}

/** @param members hosts of the release sid. @param directory where the authority keeps its files. */
export async function startEtcdCluster(members: readonly LabHost[], directory: string): Promise<EtcdCluster> {
  const authority = await makeAuthority(directory)
  for (const member of members) await equipMember(member, authority)
  const start = (member: LabHost) => startMember(member, members)
  for (const member of members) start(member)
  const [first] = members
  if (first === undefined) throw new Error('An etcd has one member or more')
  const urls = members.map(({ address }) => `https://${address}:${CLIENT_PORT}`)
  const tls = [`--cacert=${FILES}/ca.pem`, `--cert=${FILES}/member.pem`, `--key=${FILES}/member.key`]
  const running = new Set(members)
  const etcdctl = async (args: readonly string[], input = '') => {
    const [host = first] = running
    const endpoints = [...running].map(({ address }) => `https://${address}:${CLIENT_PORT}`).join(',')
    return (await host.runInside('etcdctl', [`--endpoints=${endpoints}`, ...tls, ...args], { input })).stdout
  }
  const ctl = (args: readonly string[], input?: string) =>
    etcdctl([`--user=root:${ROOT_PASSWORD}`, ...args], input)
  const wait = { what: 'the etcd of the lab', timeoutMs: START_TIMEOUT_MS }
  await waitUntil(wait, () => answers(() => etcdctl(['endpoint', 'health'])))
  for (const line of ACCESS) await etcdctl(line)
  return {
    settings: {
      ROMANA_ETCD_ENDPOINTS: urls.join(','),
      ROMANA_ETCD_CA: 'ca.pem',
      ROMANA_ETCD_CERT: 'host.pem',
      ROMANA_ETCD_KEY: 'host.key',
      ROMANA_ETCD_USER: USER,
      ROMANA_ETCD_PASSWORD_FILE: 'password',
    },
    equip: (host) => equipHost(host, authority),
    ctl,
    async kill(member) {
      running.delete(member)
      await member.runInside('pkill', ['-KILL', '-x', 'etcd'])
    },
    async revive(member, waits = true) {
      start(member)
      running.add(member)
      if (waits) await waitUntil(wait, () => answers(() => ctl(['get', '/any'])))
    },
    waitUntilHealthy: async () => void (await waitUntil(wait, () => answers(() => ctl(['get', '/any'])))),
    async leader() {
      const status = await ctl(['endpoint', 'status', '--write-out=fields'])
      const leads = status
        .split('"ClusterID"')
        .slice(1)
        .find((part) => idOf(part, 'MemberID') === idOf(part, 'Leader'))
      const found = members.find(({ address }) => leads?.includes(`https://${address}:`))
      if (found === undefined) throw new Error(`No member leads: ${status}`)
      return found
    },
  }
}

function idOf(text: string, name: string): string | undefined {
  return new RegExp(`"${name}" : (\\d+)`).exec(text)?.[1]
}

/** docs/etcd.md tells people to do the same. */
const ACCESS: readonly (readonly string[])[] = [
  ['user', 'add', 'root', `--new-user-password=${ROOT_PASSWORD}`],
  ['user', 'grant-role', 'root', 'root'],
  ['role', 'add', USER],
  ['role', 'grant-permission', USER, 'readwrite', '--prefix=true', '/romana'],
  ['user', 'add', USER, `--new-user-password=${PASSWORD}`],
  ['user', 'grant-role', USER, USER],
  ['auth', 'enable'],
]

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  return await ask().then(
    () => true,
    () => false,
  )
}

async function equipMember(member: LabHost, authority: Authority): Promise<void> {
  const { cert, key } = await authority.issue(`etcd-${member.name}`, [member.address, '127.0.0.1'])
  place(member, FILES, { 'ca.pem': authority.ca, 'member.pem': cert, 'member.key': key })
}

async function equipHost(host: LabHost, authority: Authority): Promise<void> {
  const { cert, key } = await authority.issue(`host-${host.name}`, [])
  place(host, ROMANA_FILES, { 'ca.pem': authority.ca, 'host.pem': cert, 'host.key': key })
  writeFileSync(host.rootPath(join(ROMANA_FILES, 'password')), `${PASSWORD}\n`)
}

function place(host: LabHost, directory: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(host.rootPath(directory), { recursive: true })
  for (const [name, source] of Object.entries(files))
    copyFileSync(source, host.rootPath(join(directory, name)))
}

function startMember(member: LabHost, members: readonly LabHost[]): void {
  const client = `https://${member.address}:${CLIENT_PORT}`
  const peer = `https://${member.address}:${PEER_PORT}`
  const tls = {
    'cert-file': `${FILES}/member.pem`,
    'key-file': `${FILES}/member.key`,
    'trusted-ca-file': `${FILES}/ca.pem`,
    'client-cert-auth': 'true',
  }
  const options = {
    name: member.name,
    'data-dir': DATA,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': members
      .map(({ name, address }) => `${name}=https://${address}:${PEER_PORT}`)
      .join(','),
    ...tls,
    ...Object.fromEntries(Object.entries(tls).map(([name, value]) => [`peer-${name}`, value])),
    'log-level': 'error',
  }
  member.startInside(
    'etcd',
    Object.entries(options).map(([name, value]) => `--${name}=${value}`),
  )
}
