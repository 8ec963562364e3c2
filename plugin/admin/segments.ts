/** Segments of the cluster. */
import * as v from 'valibot'
import type { AddressPlan } from '../../address/address-plan.ts'
import type { Cidr } from '../../address/cidr.ts'
import {
  listMarks,
  markEverywhere,
  unmarkEverywhere,
  whenNobodyHolds,
} from '../../cluster/everywhere-marks.ts'
import { parseName } from '../../ipam-driver/names.ts'
import { cellOf } from '../../ipam-driver/segment-hold.ts'
import { addSegment, getSegment, listSegments, removeSegment } from '../../ipam-driver/segments.ts'
import { type HostNumber, type Name, type NetworkName, NetworkNameSchema } from '../../store/ids.ts'
import { directoryKeys } from '../../store/keys.ts'
import { listRecords, SegmentHostRecord, type SegmentRecord } from '../../store/records.ts'
import { parseJson } from '../request-errors.ts'
import { type AdminParts, answer, directoryOf, type Routing } from './routing.ts'

/** Milliseconds. The command waits 30 s for its answer. */
const EVERYWHERE_TIMEOUT_MS = 20_000

interface SegmentView extends SegmentRecord {
  /** Its addresses on this host. */
  readonly cell: Cidr
  readonly cell6?: Cidr
  /** The hosts that have networks in it. */
  readonly hosts: readonly HostNumber[]
  /** The name of its network on every host, where it is marked so. */
  readonly everywhere?: string | undefined
}

const SegmentRequest = v.object({
  tenant: v.string(),
  name: v.string(),
  everywhere: v.optional(v.boolean(), false),
  /** With everywhere: the name of the networks. */
  network: v.optional(NetworkNameSchema),
})

export function addSegments({ app, parts, log }: Routing): void {
  app.get('/v1/segments', async () => answer(200, await segmentViews(await parts())))
  app.post('/v1/segments', async ({ req }) => {
    const wish = v.parse(SegmentRequest, parseJson('POST /v1/segments', await req.text()))
    const tenant = parseName('tenant', wish.tenant)
    const segment = parseName('segment', wish.name)
    const network = wish.network ?? v.parse(NetworkNameSchema, `${tenant}-${segment}`)
    const made = wish.everywhere
      ? await addEverywhere(await parts(), tenant, segment, network)
      : await add(await parts(), tenant, segment)
    log.info({ tenant, segment, ...(wish.everywhere ? { network } : {}) }, 'segment added')
    return answer(201, made)
  })
  app.delete('/v1/segments/:tenant/:segment', async ({ req }) => {
    const tenant = parseName('tenant', req.param('tenant'))
    const segment = parseName('segment', req.param('segment'))
    await remove(await parts(), tenant, segment)
    log.info({ tenant, segment }, 'segment removed')
    return answer(200, {})
  })
}

async function segmentViews(parts: AdminParts): Promise<SegmentView[]> {
  const directory = directoryOf(parts)
  const holds = await listRecords(directory, SegmentHostRecord, directoryKeys.allSegmentHosts())
  const marks = await listMarks(directory)
  return (await listSegments(directory)).map((segment) => ({
    ...segment,
    everywhere: marks.find((mark) => mark.tenant === segment.tenant && mark.segment === segment.name)
      ?.network,
    ...cellsOf(parts, segment),
    hosts: holds
      .filter((hold) => hold.tenant === segment.tenant && hold.segment === segment.name)
      .map(({ host }) => host)
      .sort((a, b) => a - b),
  }))
}

/** Makes the tenant too where there is none. @throws RomanaError as {@link addSegment} */
async function add(parts: AdminParts, tenant: Name, name: Name): Promise<SegmentView> {
  const segment = await addSegment(parts.ipam.segments, tenant, name)
  return { ...segment, ...cellsOf(parts, segment), hosts: [] }
}

/**
 * Makes the segment where there is none, and marks it: every host that may ask its engine makes a network of it.
 * @throws RomanaError as {@link addSegment} and {@link markEverywhere}
 */
async function addEverywhere(
  parts: AdminParts,
  tenant: Name,
  name: Name,
  network: NetworkName,
): Promise<SegmentView> {
  const directory = directoryOf(parts)
  const found = await getSegment(directory, tenant, name)
  const segment = found?.record ?? (await addSegment(parts.ipam.segments, tenant, name))
  await markEverywhere(directory, { tenant, segment: name, network })
  return { ...segment, ...cellsOf(parts, segment), hosts: [], everywhere: network }
}

/** A mark goes first, and the hosts get some time to follow. @throws RomanaError as {@link removeSegment} */
async function remove(parts: AdminParts, tenant: Name, name: Name): Promise<void> {
  const directory = directoryOf(parts)
  if (await unmarkEverywhere(directory, tenant, name))
    await whenNobodyHolds(directory, tenant, name, EVERYWHERE_TIMEOUT_MS)
  await parts.ipam.forgetUnusedPools()
  await removeSegment(directory, tenant, name)
}

function cellsOf({ plans, ipam }: AdminParts, segment: SegmentRecord): Pick<SegmentView, 'cell' | 'cell6'> {
  const cellIn = (plan: AddressPlan) => cellOf(plan, ipam.segments.host, segment)
  return { cell: cellIn(plans.ipv4), ...(plans.ipv6 && { cell6: cellIn(plans.ipv6) }) }
}
