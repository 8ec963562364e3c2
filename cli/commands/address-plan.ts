/** `romana address-plan`: what an address plan has room for. */
import {
  type AddressPlan,
  DEFAULT_PLAN,
  type Field,
  firstNumber,
  formatPlan,
  lastNumber,
  parsePlan,
} from '../../address/address-plan.ts'
import { encodeAddress } from '../../address/codec.ts'
import { ADDRESS_BITS, Ip } from '../../address/ip.ts'
import { segmentMask } from '../../address/prefixes.ts'
import { BIT_LEGEND, bitFigure } from '../bit-figure.ts'
import { makeCommand } from '../command.ts'
import { formatJson, formatTable, type Outcome } from '../output.ts'

export interface AddressPlanArguments {
  readonly plan: string
  readonly json: boolean
}

export const addressPlanCommand = makeCommand(
  {
    name: 'address-plan',
    description: 'Show how many hosts, tenants, segments and endpoints an address plan has',
  },
  {
    plan: {
      type: 'positional',
      description: 'CIDR and bits of host/tenant/segment/endpoint, as one word in quotes',
      default: DEFAULT_PLAN,
    },
    json: { type: 'boolean', description: 'Print JSON', default: false },
  },
  runAddressPlan,
)

/** @throws RomanaError E_PLAN, E_ADDRESS */
export function runAddressPlan({ plan, json }: AddressPlanArguments): Outcome {
  const reading = readPlan(parsePlan(plan))
  return { exitCode: 0, text: json ? formatJson(reading) : formatReading(reading) }
}

type PlanReading = ReturnType<typeof readPlan>

function readPlan(plan: AddressPlan) {
  const { prefixLength, family } = plan.cidr
  const numbers = exampleNumbers(plan)
  return {
    plan: formatPlan(plan),
    hosts: countOf(plan, 'host'),
    tenants: countOf(plan, 'tenant'),
    segmentsPerTenant: countOf(plan, 'segment'),
    endpointsPerCell: lastNumber(plan, 'endpoint') - 2n,
    hostPrefixLength: prefixLength + plan.widths.host,
    cellPrefixLength: ADDRESS_BITS[family] - plan.widths.endpoint,
    segmentMask: Ip.of(family, segmentMask(plan)).toString(),
    example: { ...numbers, address: encodeAddress(plan, numbers).toString() },
    bits: bitFigure(plan),
  }
}

function countOf(plan: AddressPlan, field: Field): bigint {
  return lastNumber(plan, field) - firstNumber(plan, field) + 1n
}

/** The first of each, and endpoint 5, or 2 in a cell so small that it has no 5. */
function exampleNumbers(plan: AddressPlan) {
  return {
    host: firstNumber(plan, 'host'),
    tenant: firstNumber(plan, 'tenant'),
    segment: firstNumber(plan, 'segment'),
    endpoint: plan.widths.endpoint > 2 ? 5n : 2n,
  }
}

function formatReading({ example, ...reading }: PlanReading): string {
  const { host, tenant, segment, endpoint, address } = example
  const table = formatTable([
    ['plan', reading.plan],
    ['hosts', `${reading.hosts}, a /${reading.hostPrefixLength} each`],
    ['tenants', reading.tenants],
    ['segments', `${reading.segmentsPerTenant} in each tenant`],
    [
      'endpoints',
      `${reading.endpointsPerCell} in each cell, a /${reading.cellPrefixLength}: one segment on one host`,
    ],
    ['segment mask', reading.segmentMask],
    ['example', `${address} is host ${host}, tenant ${tenant}, segment ${segment}, endpoint ${endpoint}`],
  ])
  return `${table}\n${reading.bits}\n${BIT_LEGEND}\n`
}
