/** The settings that say where the store of several hosts is and how to get at it: checked together, then files are read. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RomanaError, reasonOf } from '../errors.ts'
import type { EtcdOptions } from '../store/etcd-members.ts'

/** As set: names of files, not what is in them. */
export interface EtcdSettings {
  readonly endpoints: readonly string[]
  readonly prefix: string
  /** Names of files in the directory `tls` of the state. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly user?: string
  readonly password?: string
  readonly passwordFile?: string
}

/** Gives the text of a setting; undefined when it is not set. */
export type ReadText = (name: string) => string | undefined

const DEFAULT_PREFIX = '/romana'
const DEPENDENT = ['PREFIX', 'CA', 'CERT', 'KEY', 'USER', 'PASSWORD', 'PASSWORD_FILE']

/** Undefined: this host is alone. What is wrong is added to `problems`. */
export function readEtcdSettings(read: ReadText, problems: string[]): EtcdSettings | undefined {
  const text = (name: string) => read(`ROMANA_ETCD_${name}`)
  const endpoints = text('ENDPOINTS')
  if (endpoints === undefined) {
    const set = DEPENDENT.filter((name) => text(name) !== undefined)
    if (set.length > 0) problems.push(`ROMANA_ETCD_${set[0]} is set without ROMANA_ETCD_ENDPOINTS`)
    return undefined
  }
  const settings: EtcdSettings = {
    endpoints: endpoints.split(',').map((endpoint) => endpoint.trim().replace(/\/$/, '')),
    prefix: text('PREFIX') ?? DEFAULT_PREFIX,
    ...optional('caFile', text('CA')),
    ...optional('certFile', text('CERT')),
    ...optional('keyFile', text('KEY')),
    ...optional('user', text('USER')),
    ...optional('password', text('PASSWORD')),
    ...optional('passwordFile', text('PASSWORD_FILE')),
  }
  problems.push(...problemsOf(settings))
  return settings
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  const present: Partial<Record<K, string>> = {}
  if (value !== undefined) present[key] = value
  return present
}

function problemsOf(settings: EtcdSettings): string[] {
  const { endpoints, prefix, caFile, certFile, keyFile, user, password, passwordFile } = settings
  const problems: string[] = []
  const bad = endpoints.find((endpoint) => !isEndpoint(endpoint))
  if (bad !== undefined)
    problems.push(`ROMANA_ETCD_ENDPOINTS: "${bad}" is not a URL such as https://192.0.2.10:2379`)
  const secure = endpoints.filter((endpoint) => endpoint.startsWith('https:')).length
  if (secure > 0 && secure < endpoints.length)
    problems.push('ROMANA_ETCD_ENDPOINTS: all begin with https, or none')
  if (!/^(\/[\w.-]+)+$/.test(prefix))
    problems.push(`ROMANA_ETCD_PREFIX: "${prefix}" is not a path such as ${DEFAULT_PREFIX}`)
  if (secure === 0 && (caFile ?? certFile ?? keyFile) !== undefined)
    problems.push('ROMANA_ETCD_CA, _CERT and _KEY are for endpoints that begin with https')
  if ((certFile === undefined) !== (keyFile === undefined))
    problems.push('ROMANA_ETCD_CERT and ROMANA_ETCD_KEY belong together')
  if (certFile !== undefined && caFile === undefined)
    problems.push('ROMANA_ETCD_CERT needs ROMANA_ETCD_CA, by which the certificate of etcd is checked')
  const files = { CA: caFile, CERT: certFile, KEY: keyFile, PASSWORD_FILE: passwordFile }
  for (const [name, file] of Object.entries(files)) {
    if (file !== undefined && !/^[\w.-]+$/.test(file))
      problems.push(`ROMANA_ETCD_${name}: "${file}" is not the name of a file in /var/lib/romana/tls`)
  }
  if (password !== undefined && passwordFile !== undefined)
    problems.push('ROMANA_ETCD_PASSWORD and ROMANA_ETCD_PASSWORD_FILE are both set')
  if ((user === undefined) !== ((password ?? passwordFile) === undefined))
    problems.push('ROMANA_ETCD_USER and its password belong together')
  return problems
}

function isEndpoint(text: string): boolean {
  const url = URL.parse(text)
  const isPlain = url !== null && `${url.protocol}//${url.host}` === text
  return isPlain && /^https?:$/.test(url.protocol) && url.port !== ''
}

/**
 * What the store is opened with.
 * @param directory where the files are.
 * @throws RomanaError E_CONFIG when one cannot be read
 */
export async function loadEtcdOptions(settings: EtcdSettings, directory: string): Promise<EtcdOptions> {
  const { endpoints, prefix, caFile, certFile, keyFile, user, passwordFile } = settings
  const read = (name: string | undefined) => (name === undefined ? undefined : readSecret(directory, name))
  const [ca, cert, key, secret] = await Promise.all([caFile, certFile, keyFile, passwordFile].map(read))
  const password = settings.password ?? secret?.toString().trim()
  return {
    endpoints,
    prefix,
    ...(ca && { tls: { ca, ...(cert && key && { cert, key }) } }),
    ...(user !== undefined && password !== undefined && { credentials: { username: user, password } }),
  }
}

async function readSecret(directory: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(directory, name))
  } catch (cause) {
    throw new RomanaError('E_CONFIG', {
      cannot: `read the file "${name}" that the settings of etcd name`,
      because: reasonOf(cause),
      remedy: 'Put it into /var/lib/romana/tls on the host, readable for root',
      cause,
    })
  }
}
