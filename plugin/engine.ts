/** The engine of this host, asked over its socket. It waits for the driver at times, so no call of the driver may wait for it. */
import Docker from 'dockerode'
import * as v from 'valibot'
import { type EngineNetwork, EVERYWHERE_LABEL, labelOf } from '../cluster/everywhere.ts'
import type { EngineNetworks } from '../cluster/everywhere-keeper.ts'
import type { ContainerName } from '../cluster/mirror-copies.ts'
import { RomanaError, reasonOf } from '../errors.ts'

export interface EngineClient extends EngineNetworks {
  /** The running containers by the ids of their endpoints. @throws RomanaError E_ENGINE */
  containers(): Promise<ReadonlyMap<string, ContainerName>>
}

/** To make a network the engine asks the plugin, which may have to wait for others. */
const TIMEOUT_MS = 60_000

/** Null stands for none, on some releases. */
const Networks = v.array(
  v.object({ Id: v.string(), Name: v.string(), Labels: v.nullish(v.record(v.string(), v.string())) }),
)
const Containers = v.array(
  v.object({
    Id: v.string(),
    /** "/web-1". */
    Names: v.nullish(v.array(v.string())),
    NetworkSettings: v.nullish(
      v.object({
        Networks: v.nullish(v.record(v.string(), v.nullish(v.object({ EndpointID: v.string() })))),
      }),
    ),
  }),
)
const Refused = v.object({ statusCode: v.number() })

/** @param driver the name under which this engine knows the plugin. */
export function openEngine(socketPath: string, driver: string): EngineClient {
  const docker = new Docker({ socketPath, timeout: TIMEOUT_MS })
  return {
    networks: async () => (await ask(Networks, 'list the networks', docker.listNetworks())).map(readNetwork),
    async createNetwork(mark) {
      const { network, tenant, segment } = mark
      const made = docker.createNetwork({
        Name: network,
        Driver: driver,
        // Engines before 25 would make a second network of the name.
        CheckDuplicate: true,
        IPAM: { Driver: driver, Options: { tenant, segment } },
        Labels: { [EVERYWHERE_LABEL]: labelOf(mark) },
      })
      await ask(v.unknown(), `make the network "${network}"`, made)
    },
    async removeNetwork(id) {
      try {
        await docker.getNetwork(id).remove()
        return 'removed'
      } catch (error) {
        const refused = v.safeParse(Refused, error)
        if (refused.success && refused.output.statusCode === 404) return 'removed'
        // "network has active endpoints" (moby, daemon/network.go).
        if (refused.success && refused.output.statusCode === 403) return 'in use'
        throw engineError(`remove the network "${id}"`, error)
      }
    },
    async containers() {
      const found = await ask(Containers, 'list the containers', docker.listContainers())
      return new Map(found.flatMap(readEndpoints))
    },
  }
}

function readNetwork({ Id, Name, Labels }: v.InferOutput<typeof Networks>[number]): EngineNetwork {
  return { id: Id, name: Name, everywhere: Labels?.[EVERYWHERE_LABEL] }
}

function readEndpoints({
  Id,
  Names,
  NetworkSettings,
}: v.InferOutput<typeof Containers>[number]): [string, ContainerName][] {
  const container = { id: Id, name: Names?.[0]?.replace(/^\//, '') ?? '' }
  return Object.values(NetworkSettings?.Networks ?? {}).flatMap((endpoint): [string, ContainerName][] =>
    endpoint == null || endpoint.EndpointID === '' ? [] : [[endpoint.EndpointID, container]],
  )
}

async function ask<S extends v.GenericSchema>(
  schema: S,
  cannot: string,
  answer: Promise<unknown>,
): Promise<v.InferOutput<S>> {
  try {
    return v.parse(schema, await answer)
  } catch (error) {
    throw engineError(cannot, error)
  }
}

function engineError(cannot: string, cause: unknown): RomanaError {
  return new RomanaError('E_ENGINE', {
    cannot: `${cannot} of this host's engine`,
    because: reasonOf(cause),
    remedy: 'Check that ROMANA_ENGINE_SOCKET names its socket below /run, and that the engine runs',
    cause,
  })
}
