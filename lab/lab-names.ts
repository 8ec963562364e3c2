/** How everything that a lab leaves on the machine is called, so that a later process finds it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** `ip netns` keeps the names of namespaces here. */
const NAMED_NAMESPACES = '/run/netns'
const STATE = '/var/lib/romana-lab'
/** No dash: "romana-a-b" must not belong to both the lab "a" and the lab "a-b". Short, because links are named after hosts. */
const NAME = /^[a-z][a-z0-9]{0,9}$/

/** @throws Error when labs and hosts cannot be called that */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new Error(`Cannot name a lab or host "${name}": a name is up to 10 small letters and digits`)
  }
}

/** The network namespace of a host, or of the router. */
export function namespaceOf(lab: string, host: string): string {
  return `romana-${lab}-${host}`
}

/** The file that holds a network namespace. */
export function namespacePath(namespace: string): string {
  return join(NAMED_NAMESPACES, namespace)
}

/** The network namespaces of a lab that exist now. */
export function namespacesOf(lab: string): readonly string[] {
  return namesIn(NAMED_NAMESPACES).filter((name) => name.startsWith(namespaceOf(lab, '')))
}

/** What the hosts of a lab have on disk: a directory each. */
export function labDirectory(lab: string): string {
  return join(STATE, lab)
}

/** What one host has on disk. */
export function hostDirectory(lab: string, host: string): string {
  return join(labDirectory(lab), host)
}

/** The control group of a host's containers, in each hierarchy. */
export function cgroupOf(lab: string, host: string): string {
  return `romana-lab-${lab}-${host}`
}

/** The names in a directory; none when it is absent. */
export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
