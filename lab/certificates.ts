/** A certificate authority and certificates for a lab, made with openssl. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'

const DAYS = ['-days', '2']
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Files of PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority whose files lie in one directory. */
export interface Authority {
  readonly ca: string
  /** A certificate for servers and clients. @throws ExecaError */
  issue(name: string, addresses: readonly string[]): Promise<Certificate>
}

/** @param directory is made when it is not there. @throws ExecaError */
export async function makeAuthority(directory: string): Promise<Authority> {
  mkdirSync(directory, { recursive: true })
  const [ca, caKey] = [join(directory, 'ca.pem'), join(directory, 'ca.key')]
  await run('openssl', ['req', '-x509', ...KEY, '-keyout', caKey, '-out', ca, '-subj', '/CN=lab', ...DAYS])
  return {
    ca,
    async issue(name, addresses) {
      const [cert, key] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)]
      const request = await run('openssl', ['req', '-new', ...KEY, '-keyout', key, '-subj', `/CN=${name}`])
      const extensions = join(directory, `${name}.ext`)
      const names = [`DNS:${name}`, ...addresses.map((address) => `IP:${address}`)]
      writeFileSync(extensions, `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', extensions, ...DAYS]
      await run('openssl', ['x509', '-req', ...signing, '-out', cert], { input: request.stdout })
      return { cert, key }
    },
  }
}
