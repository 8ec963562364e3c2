/** Reads what tells this machine from others. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Ip } from '../address/ip.ts'
import type { Machine } from '../cluster/machine.ts'
import type { ObservedHost } from '../host/host-state.ts'
import { findUnderlay } from '../host/underlay.ts'

/** A machine without an id is told by its host name. */
export async function readMachineId(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() === '' ? `hostname:${hostname()}` : text.trim()
}

export interface MachinePaths {
  readonly machineId: string
  /** Where the firmware says its UUID. Not every machine has one. */
  readonly productUuid: string
}

/** This machine, for a directory of its own. */
export async function readMachine(paths: MachinePaths): Promise<Machine> {
  const machineId = await readMachineId(paths.machineId)
  return { machineId, name: hostname(), linkAddresses: [] }
}

/**
 * This machine as one of several.
 * @param setting the address at which others reach it, when that is set.
 * @throws RomanaError E_UNDERLAY
 */
export async function readSharedMachine(
  paths: MachinePaths,
  seen: ObservedHost,
  setting: Ip | undefined,
): Promise<Machine> {
  const { link, ...underlay } = findUnderlay(seen, setting)
  const productUuid = (await readFile(paths.productUuid, 'utf8').catch(() => '')).trim()
  const linksOut = seen.links.filter(({ name }) => name === link || seen.defaultLinks.includes(name))
  return {
    ...(await readMachine(paths)),
    ...(productUuid === '' ? {} : { productUuid }),
    linkAddresses: [...new Set(linksOut.flatMap(({ linkAddress: own }) => (own === '' ? [] : [own])))].sort(),
    underlay,
  }
}
