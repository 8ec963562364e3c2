/** Takes away all that a lab has, whether it runs, was cut while it started, or its process is long gone. */
import { existsSync, globSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { isFirstOfHost } from './host-namespaces.ts'
import { cgroupOf, hostDirectory, labDirectory, namesIn, namespacesOf } from './lab-names.ts'
import { waitUntil } from './wait-until.ts'

const CGROUPS = '/sys/fs/cgroup'
const END_TIMEOUT_MS = 10_000

/** Ends every process of the lab and removes its namespaces, control groups and files. With nothing there it does nothing. */
export async function sweep(lab: string): Promise<void> {
  await Promise.all(namespacesOf(lab).map(removeNamespace))
  for (const host of namesIn(labDirectory(lab))) removeCgroups(lab, host)
  rmSync(labDirectory(lab), { recursive: true, force: true })
}

async function removeNamespace(netns: string): Promise<void> {
  // With a host's process 1 all else of the host ends; what started it from outside then sees it to its end.
  const firsts = (await processesIn(netns)).filter((pid) => isFirstOfHost(netns, pid))
  firsts.forEach(kill)
  const wait = { what: `the end of the processes in ${netns}`, timeoutMs: END_TIMEOUT_MS }
  await waitUntil(wait, () => firsts.every((pid) => !existsSync(`/proc/${pid}`)))
  await waitUntil(wait, async () => {
    const pids = await processesIn(netns)
    pids.forEach(kill)
    return pids.length === 0
  })
  await run('ip', ['netns', 'delete', netns])
}

async function processesIn(netns: string): Promise<readonly string[]> {
  const { stdout } = await run('ip', ['netns', 'pids', netns])
  return stdout.split('\n').filter((pid) => pid !== '')
}

function kill(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/**
 * A killed engine leaves its control groups behind, empty: one with a group for each container, and one for each plugin,
 * named by its id. cgroup v1 has them in every hierarchy, and runc puts a plugin's below or beside its own group.
 */
function removeCgroups(lab: string, host: string): void {
  const plugins = namesIn(join(hostDirectory(lab, host), 'docker/plugins')).filter((id) =>
    /^[0-9a-f]{64}$/.test(id),
  )
  const names = [cgroupOf(lab, host), ...plugins]
  const groups = globSync(
    names.map((name) => `**/${name}/**/`),
    { cwd: CGROUPS },
  )
  // What lies inside another is longer.
  for (const group of groups.sort((a, b) => b.length - a.length)) rmdirSync(join(CGROUPS, group))
}
