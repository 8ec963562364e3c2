/** Why a machine may not be the host that it wants to be. Pure. */
import { RomanaError } from '../errors.ts'
import type { HostRecord } from '../store/host-records.ts'
import type { HostNumber } from '../store/ids.ts'

/** @returns `host 2 ("h2", 192.0.2.12)` */
export function describeHost({ number, name, underlay }: HostRecord): string {
  return `host ${number} ("${name}"${underlay === undefined ? '' : `, ${underlay.address}`})`
}

/** @param other the host that this machine is a copy of. */
export function cloneError(other: HostRecord): RomanaError {
  return new RomanaError('E_HOST_CLONE', {
    cannot: 'join the cluster',
    because: `this machine has the ids of ${describeHost(other)}, which is another machine or still runs`,
    remedy:
      'A copy needs a machine id of its own (remove /etc/machine-id, run systemd-machine-id-setup) and an empty /var/lib/romana. ' +
      `If this is that host with other hardware, type on another host: romana host accept ${other.number}`,
  })
}

/** @param had the number of the host whose journal this machine has. */
export function copiedJournalError(had: HostNumber, cause?: unknown): RomanaError {
  return new RomanaError('E_HOST_CLONE', {
    cannot: cause === undefined ? 'join the cluster' : 'go on without the store of the cluster',
    because: `the journal is that of host ${had} on another machine`,
    remedy:
      cause === undefined
        ? 'Empty /var/lib/romana'
        : 'Empty /var/lib/romana if this is a copy; otherwise wait until the store answers',
    cause,
  })
}

/** @param other whose number it is that this host had. */
export function takenError(other: HostRecord): RomanaError {
  return new RomanaError('E_CLUSTER', {
    cannot: 'join the cluster',
    because: `this host has networks with the addresses of host number ${other.number}, which is that of ${describeHost(other)} now`,
    remedy:
      'Remove its Romana networks (docker network rm) and /var/lib/romana; then it gets a number of its own',
  })
}
