/** Calls of the plugin's own protocol on a real host, as the engine makes them: for what would take thousands of containers. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import * as v from 'valibot'
import { LOCAL_ADDRESS_SPACE } from '../../address/address-spaces.ts'
import type { LabHost } from '../../lab/lab-host.ts'

/** The engine's plugin directory has it, as long as the plugin serves the plain name. */
const SOCKET = '/run/docker/plugins/romana.sock'

/** A network of one segment, made without the engine. */
export interface FilledNetwork {
  /** Such as "10.1.17.0/24". */
  readonly pool: string
  /** Asks for an address and makes an endpoint of it; links only when asked for. @throws Error with the plugin's text */
  addEndpoint(withLinks: boolean): Promise<Endpoint>
  /** Takes it away again, in the order of `docker rm`. */
  removeEndpoint(endpoint: Endpoint): Promise<void>
  remove(): Promise<void>
}

export interface Endpoint {
  readonly id: string
  /** Without a length. */
  readonly address: string
}

/** Makes a network through the plugin's socket. */
export async function makeNetwork(
  host: LabHost,
  options: Readonly<Record<string, string>>,
): Promise<FilledNetwork> {
  const call = (method: string, body: object) => callPlugin(host.rootPath(SOCKET), method, body)
  const wish = { AddressSpace: LOCAL_ADDRESS_SPACE, Pool: '', SubPool: '', Options: options, V6: false }
  const { PoolID, Pool } = v.parse(PoolAnswer, await call('IpamDriver.RequestPool', wish))
  const NetworkID = newId()
  const IPv4Data = [{ AddressSpace: LOCAL_ADDRESS_SPACE, Pool }]
  await call('NetworkDriver.CreateNetwork', { NetworkID, Options: {}, IPv4Data, IPv6Data: [] })
  return {
    pool: Pool,
    async addEndpoint(withLinks) {
      const { Address } = v.parse(
        AddressAnswer,
        await call('IpamDriver.RequestAddress', { PoolID, Address: '', Options: null }),
      )
      const ids = { NetworkID, EndpointID: newId() }
      await call('NetworkDriver.CreateEndpoint', { ...ids, Interface: { Address }, Options: {} })
      const SandboxKey = `/var/run/docker/netns/${ids.EndpointID.slice(0, 12)}`
      if (withLinks) await call('NetworkDriver.Join', { ...ids, SandboxKey, Options: {} })
      return { id: ids.EndpointID, address: Address.replace('/32', '') }
    },
    async removeEndpoint({ id, address }) {
      const ids = { NetworkID, EndpointID: id }
      for (const method of ['Leave', 'DeleteEndpoint']) await call(`NetworkDriver.${method}`, ids)
      await call('IpamDriver.ReleaseAddress', { PoolID, Address: address })
    },
    async remove() {
      await call('IpamDriver.ReleasePool', { PoolID })
      await call('NetworkDriver.DeleteNetwork', { NetworkID })
    },
  }
}

const PoolAnswer = v.object({ PoolID: v.string(), Pool: v.string() })
const AddressAnswer = v.object({ Address: v.string() })
const ErrorAnswer = v.object({ Err: v.string() })

/** @throws Error with the plugin's text */
async function callPlugin(socketPath: string, method: string, body: object): Promise<unknown> {
  const { status, answer } = await post(socketPath, `/${method}`, JSON.stringify(body))
  if (status !== 200) throw new Error(v.parse(ErrorAnswer, answer).Err)
  return answer
}

function post(
  socketPath: string,
  path: string,
  body: string,
): Promise<{ status: number | undefined; answer: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: 'POST' }, (response) => {
      json(response).then((answer) => resolve({ status: response.statusCode, answer }), reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** As the engine makes them. */
function newId(): string {
  return randomBytes(32).toString('hex')
}
