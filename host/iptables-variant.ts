/**
 * The two iptables. A packet passes the rules of both; an accept in one does not help against a drop in the other. So
 * ours must stand where Docker's are.
 */
import type { Family } from '../address/ip.ts'
import { RomanaError } from '../errors.ts'
import type { RunCommand } from './processes.ts'

export const IPTABLES_VARIANTS = ['nft', 'legacy'] as const
export type IptablesVariant = (typeof IPTABLES_VARIANTS)[number]

/** The rules of one family in one variant, and the programs that read and write them. */
export interface IptablesProgram {
  readonly variant: IptablesVariant
  readonly family: Family
}

/** The beginning of the programs' names, before "-save" and "-restore". */
export function programName({ variant, family }: IptablesProgram): string {
  return `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}`
}

/** Those that this kernel can do: one may lack either variant, or IPv6. @throws RomanaError E_HOST when there is none */
export async function findIptables(run: RunCommand): Promise<IptablesProgram[]> {
  const programs = IPTABLES_VARIANTS.flatMap((variant): IptablesProgram[] => [
    { variant, family: 4 },
    { variant, family: 6 },
  ])
  const attempts = await Promise.allSettled(
    programs.map((program) => run({ file: `${programName(program)}-save`, args: [] })),
  )
  const found = programs.filter((_, index) => attempts[index]?.status === 'fulfilled')
  if (found.length > 0) return found
  throw new RomanaError('E_HOST', {
    cannot: 'keep tenants apart with iptables',
    because: 'neither iptables-nft nor iptables-legacy works on this kernel',
    remedy: 'Load the kernel module nf_tables or ip_tables',
    cause: attempts.find((attempt) => attempt.status === 'rejected')?.reason,
  })
}
