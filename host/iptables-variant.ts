/**
 * Which of the two iptables this host uses. A packet passes the rules of both; an accept in one does not help against a
 * drop in the other. So ours must stand where Docker's are.
 */
import type { RunCommand } from './processes.ts'

export type IptablesVariant = 'nft' | 'legacy'

/** The variant that holds chains of Docker; nft where neither or both do. @throws RomanaError E_COMMAND */
export async function findIptablesVariant(run: RunCommand): Promise<IptablesVariant> {
  const [nft, legacy] = await Promise.all([savedRules(run, 'nft'), savedRules(run, 'legacy')])
  return hasDockerChains(legacy) && !hasDockerChains(nft) ? 'legacy' : 'nft'
}

function hasDockerChains(saved: string): boolean {
  return /^:DOCKER[\w-]* /m.test(saved)
}

/** A kernel without one of the two is not an error: the other is used. */
async function savedRules(run: RunCommand, variant: IptablesVariant): Promise<string> {
  try {
    return await run({ file: `iptables-${variant}-save`, args: [] })
  } catch {
    return ''
  }
}
