/** `romana ports`. */
import * as v from 'valibot'
import { formatAddressPort, Ip } from '../../address/ip.ts'
import { ADMIN_ARGS } from '../admin-args.ts'
import { ask } from '../admin-client.ts'
import { formatColumns, shortId } from '../columns.ts'
import { makeCommand } from '../command.ts'
import { formatJson } from '../output.ts'

const Port = v.object({
  endpointId: v.string(),
  networkId: v.string(),
  protocol: v.string(),
  hostAddress: v.string(),
  hostPort: v.number(),
  address: v.string(),
  containerPort: v.number(),
  reserved: v.boolean(),
})

export const portsCommand = makeCommand(
  { name: 'ports', description: 'Show the ports that containers publish on this host' },
  ADMIN_ARGS,
  async ({ socket, json }) => {
    const ports = await ask(socket, { method: 'GET', path: '/v1/ports' }, v.array(Port))
    const rows = ports.map((port) => [
      shortId(port.endpointId),
      shortId(port.networkId),
      formatAddressPort(Ip.parse(port.hostAddress), port.hostPort),
      `${formatAddressPort(Ip.parse(port.address), port.containerPort)}/${port.protocol}`,
      port.reserved ? 'yes' : 'no',
    ])
    const titles = ['ENDPOINT', 'NETWORK', 'HOST', 'CONTAINER', 'RESERVED']
    return { exitCode: 0, text: json ? formatJson(ports) : formatColumns(titles, rows) }
  },
)
