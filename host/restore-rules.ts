/** The one place that writes firewall rules. */
import { programName } from './iptables-variant.ts'
import type { RestoreText } from './plan-firewall.ts'
import type { RunCommand } from './processes.ts'

/** A firewall that somebody holds locked is waited for this long. */
const LOCK_WAIT_SECONDS = '5'

/** All of the text, or nothing. @throws RomanaError E_COMMAND */
export async function restoreRules(run: RunCommand, { program, text }: RestoreText): Promise<void> {
  const file = `${programName(program)}-restore`
  await run({ file, args: ['--noflush', '--wait', LOCK_WAIT_SECONDS], input: text })
}
