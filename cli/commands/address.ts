/** `romana address`: an address read aloud. */
import {
  type AddressPlan,
  DEFAULT_PLAN,
  FIELDS,
  firstNumber,
  formatPlan,
  parsePlan,
} from '../../address/address-plan.ts'
import { Cidr } from '../../address/cidr.ts'
import { type AddressNumbers, decodeAddress } from '../../address/codec.ts'
import { Ip } from '../../address/ip.ts'
import { cellAround, endpointRange, gatewayOf } from '../../address/prefixes.ts'
import { makeCommand } from '../command.ts'
import { formatJson, formatTable, type Outcome } from '../output.ts'

export interface AddressArguments {
  readonly address: string
  readonly plan: string
  readonly json: boolean
}

export const addressCommand = makeCommand(
  { name: 'address', description: 'Show whose address this is. Exit code 1: nobody can have it' },
  {
    address: { type: 'positional', description: 'IPv4 or IPv6 address, such as 10.1.17.5', required: true },
    plan: {
      type: 'string',
      description: 'CIDR and bits of host/tenant/segment/endpoint',
      default: DEFAULT_PLAN,
    },
    json: { type: 'boolean', description: 'Print JSON', default: false },
  },
  runAddress,
)

/** What an address is to a plan. */
const KINDS = {
  endpoint: 'an endpoint',
  network: 'the network address of its cell, which no endpoint gets',
  gateway: 'the gateway of its cell',
  last: 'the last address of its cell, which no endpoint gets',
  unowned: "nobody's: hosts, tenants and segments are numbered from 1",
  outside: "nobody's: it lies outside the plan",
} as const
type Kind = keyof typeof KINDS

/** @throws RomanaError E_ADDRESS, E_PLAN */
export function runAddress(given: AddressArguments): Outcome {
  const plan = parsePlan(given.plan)
  const address = Ip.parse(given.address)
  const reading = readAddress(plan, address)
  const exitCode = reading.kind === 'outside' || reading.kind === 'unowned' ? 1 : 0
  return { exitCode, text: given.json ? formatJson(reading) : formatTable(rowsOf(reading)) }
}

interface AddressReading extends Partial<AddressNumbers> {
  readonly address: string
  readonly plan: string
  readonly kind: Kind
  readonly cell?: string
  readonly hostPrefix?: string
  readonly gateway?: string
}

function readAddress(plan: AddressPlan, address: Ip): AddressReading {
  const numbers = decodeAddress(plan, address)
  const known = { address: address.toString(), plan: formatPlan(plan) }
  if (numbers === undefined) return { ...known, kind: 'outside' }
  const cell = cellAround(plan, address)
  return {
    ...known,
    ...numbers,
    kind: isOwned(plan, numbers) ? kindInCell(cell, address) : 'unowned',
    cell: cell.toString(),
    hostPrefix: Cidr.around(address, plan.cidr.prefixLength + plan.widths.host).toString(),
    gateway: gatewayOf(cell).toString(),
  }
}

function isOwned(plan: AddressPlan, numbers: AddressNumbers): boolean {
  return FIELDS.every((field) => field === 'endpoint' || numbers[field] >= firstNumber(plan, field))
}

function kindInCell(cell: Cidr, address: Ip): Kind {
  if (address.equals(cell.network)) return 'network'
  if (address.equals(gatewayOf(cell))) return 'gateway'
  return address.value > endpointRange(cell).last.value ? 'last' : 'endpoint'
}

function rowsOf({ kind, hostPrefix, ...reading }: AddressReading): [string, string | bigint][] {
  const rows: [string, string | bigint | undefined][] = [
    ['address', reading.address],
    ['plan', reading.plan],
    ['host', reading.host],
    ['tenant', reading.tenant],
    ['segment', reading.segment],
    ['endpoint', reading.endpoint],
    ['cell', reading.cell],
    ['host prefix', hostPrefix],
    ['gateway', reading.gateway],
    ['it is', KINDS[kind]],
  ]
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]))
}
