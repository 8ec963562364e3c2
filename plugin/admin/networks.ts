/** Networks of this host; those that the engine does not have any more can be removed. */
import { setTimeout } from 'node:timers/promises'
import type { EngineNetwork } from '../../cluster/everywhere.ts'
import { RomanaError } from '../../errors.ts'
import { journalKeys } from '../../store/keys.ts'
import { EndpointRecord, listRecords, NetworkRecord } from '../../store/records.ts'
import type { Store } from '../../store/store.ts'
import { type AdminParts, answer, type Routing } from './routing.ts'

/** Milliseconds. The command waits 30 s for its answer. */
const ENGINE_TIMEOUT_MS = 10_000

interface NetworkView extends NetworkRecord {
  readonly endpoints: number
  /** Where the engine may be asked and has the network. */
  readonly name?: string
  /** Where the engine may be asked and does not have it. */
  readonly gone?: true
}

export function addNetworks({ app, parts, log }: Routing): void {
  app.get('/v1/networks', async () => answer(200, await networkViews(await parts())))
  app.delete('/v1/networks/:network', async ({ req }) => {
    const removed = await remove(await parts(), req.param('network'))
    log.info({ network: removed.networkId }, 'network removed')
    return answer(200, removed)
  })
}

async function networkViews({ journal, engine }: AdminParts): Promise<NetworkView[]> {
  const known = engine && (await askEngine(engine).catch(() => undefined))
  const endpoints = await listRecords(journal, EndpointRecord, journalKeys.endpoints())
  return (await listNetworks(journal)).map((network) => ({
    ...network,
    endpoints: endpoints.filter(({ networkId }) => networkId === network.networkId).length,
    ...(known && nameOf(network, known)),
  }))
}

function nameOf(
  { networkId }: NetworkRecord,
  known: readonly EngineNetwork[],
): Pick<NetworkView, 'name' | 'gone'> {
  const found = known.find(({ id }) => id === networkId)
  return found === undefined ? { gone: true } : { name: found.name }
}

/**
 * The record goes first, then what follows from it: a plugin that dies in between puts the host right when it starts, and forgets a
 * pool without a network. @param text the id, or as much of its beginning as no other network's has.
 * @throws RomanaError E_NETWORK_UNKNOWN, E_NETWORK_IN_USE, E_ENGINE, E_COMMAND
 */
async function remove({ journal, engine, network, ipam }: AdminParts, text: string): Promise<NetworkRecord> {
  const { networkId } = await findNetwork(journal, text)
  const present = engine && (await askEngine(engine)).find(({ id }) => id === networkId)
  if (present !== undefined) throw presentError(present)
  const removed = await network.removeLostNetwork(networkId)
  await ipam.releasePoolsOf(removed)
  return removed
}

async function findNetwork(journal: Store, text: string): Promise<NetworkRecord> {
  const found = (await listNetworks(journal)).filter(({ networkId }) => networkId.startsWith(text))
  const [network] = found
  if (network !== undefined && found.length === 1) return network
  throw new RomanaError('E_NETWORK_UNKNOWN', {
    cannot: `remove the network "${text}"`,
    because: `the ids of ${found.length === 0 ? 'no network' : `${found.length} networks`} of this host begin so`,
    remedy: 'The ids are in: romana network list',
  })
}

function listNetworks(journal: Store): Promise<NetworkRecord[]> {
  return listRecords(journal, NetworkRecord, journalKeys.networks())
}

/** It may have stopped answering: then who asks is told in time. */
function askEngine(engine: NonNullable<AdminParts['engine']>): Promise<readonly EngineNetwork[]> {
  const late = setTimeout(ENGINE_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new RomanaError('E_ENGINE', {
      cannot: "list the networks of this host's engine",
      because: `it has not answered within ${ENGINE_TIMEOUT_MS / 1000} s`,
      remedy: 'Repeat the command when the engine answers: docker network ls',
    })
  })
  return Promise.race([engine.networks(), late])
}

function presentError({ id, name }: EngineNetwork): RomanaError {
  return new RomanaError('E_NETWORK_IN_USE', {
    cannot: `remove the network "${id}"`,
    because: `the engine still has it as "${name}"`,
    remedy: `Type: docker network rm ${name}`,
  })
}
