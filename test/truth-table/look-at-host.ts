/** Who is on a host, as its engine lists them. */
import * as v from 'valibot'
import type { LabHost } from '../../lab/lab-host.ts'
import { SandboxKey, sandboxPath } from '../../lab/sandboxes.ts'
import type { Place, PlaceNetwork } from './place.ts'

/** A place, and the network namespace as a path. */
export interface SeenPlace {
  readonly place: Place
  readonly netns: string
}

/** A network of the engine. */
export interface SeenNetwork extends PlaceNetwork {
  readonly driver: string
  readonly gateways: readonly string[]
}

const ContainerLine = v.pipe(
  v.string(),
  v.transform((line) => line.split(' ')),
  v.tuple([v.string(), SandboxKey, v.string()]),
)
const NetworkLine = v.pipe(
  v.string(),
  v.transform((line) => line.split(' ')),
  v.tupleWithRest([v.string(), v.string(), v.picklist(['true', 'false'])], v.string()),
)

const CONTAINER =
  '{{slice .Name 1}} {{.NetworkSettings.SandboxKey}} {{range $name, $e := .NetworkSettings.Networks}}{{$name}}{{end}}'
const NETWORK = '{{.Name}} {{.Driver}} {{.Internal}}{{range .IPAM.Config}} {{.Gateway}}{{end}}'

/** Each on one network. @throws ExecaError */
export async function containersOn(host: LabHost, networks: readonly SeenNetwork[]): Promise<SeenPlace[]> {
  const { stdout } = await host.docker(['ps', '--quiet'])
  const ids = stdout.split('\n').filter((id) => id !== '')
  if (ids.length === 0) return []
  const inspected = await host.docker(['inspect', '--format', CONTAINER, ...ids])
  return inspected.stdout.split('\n').map((line) => {
    const [name, sandbox, networkName] = v.parse(ContainerLine, line)
    const network = networks.find((candidate) => candidate.name === networkName)
    if (network === undefined) throw new Error(`Cannot find the network "${networkName}" of ${name}`)
    return {
      place: {
        name: `${name}@${host.name}`,
        kind: network.driver === 'bridge' ? 'bridge' : 'container',
        host: host.name,
        network: { name: network.name, internal: network.internal },
      },
      netns: sandboxPath(host, sandbox),
    }
  })
}

/** Drivers of Docker whose networks have no addresses. */
const NO_DRIVERS = ['host', 'null']

/** Those with addresses. @throws ExecaError */
export async function networksOn(host: LabHost): Promise<SeenNetwork[]> {
  const { stdout } = await host.docker(['network', 'ls', '--quiet'])
  const inspected = await host.docker(['network', 'inspect', '--format', NETWORK, ...stdout.split('\n')])
  return inspected.stdout.split('\n').flatMap((line) => {
    const [name, driver, internal, ...gateways] = v.parse(NetworkLine, line.trim())
    if (NO_DRIVERS.includes(driver)) return []
    return [{ name, driver, internal: internal === 'true', gateways }]
  })
}
