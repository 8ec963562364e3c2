/** What tells this machine from others, and from a copy of its disk. Pure. */
import type { HostRecord } from '../store/host-records.ts'

/** This machine, as it finds itself when the plugin starts. */
export interface Machine extends Fingerprint {
  /** Of its system (machine-id(5)). Copied disks and careless images share it. */
  readonly machineId: string
  readonly name: string
  /** Where other hosts reach it; absent on a single host. */
  readonly underlay?: HostRecord['underlay']
}

/** What a copy of a disk does not bring along. */
export interface Fingerprint {
  /** Of its firmware; absent where nobody can read it. */
  readonly productUuid?: string | undefined
  /** MAC addresses of the links that lead to other machines. */
  readonly linkAddresses: readonly string[]
}

/** Whether both are one machine, as far as is known: a machine may get a new link, or new firmware, but not both at once. */
export function isSameMachine(a: Fingerprint, b: Fingerprint): boolean {
  const isOtherFirmware =
    a.productUuid !== undefined && b.productUuid !== undefined && a.productUuid !== b.productUuid
  const areLinksKnown = a.linkAddresses.length > 0 && b.linkAddresses.length > 0
  const sharesLink = a.linkAddresses.some((address) => b.linkAddresses.includes(address))
  return !isOtherFirmware && (!areLinksKnown || sharesLink)
}

/** Whether a person has said that the next machine with the host's ids is the host: {@link acceptHost}. */
export function hasFingerprint({ productUuid, linkAddresses }: Fingerprint): boolean {
  return productUuid !== undefined || linkAddresses.length > 0
}
