/** The rules of a policy: which protocols and ports may pass. Pure. */
import type { PolicyRule } from '../store/policy-records.ts'
import type { Problems } from './policy-problems.ts'
import type { RuleShape } from './policy-shapes.ts'

const LAST_PORT = 65_535
/** iptables takes 255 for every type. */
const LAST_TYPE = 254

/** Adds to the problems what cannot be read. */
export function readRules(shapes: readonly RuleShape[], path: string, problems: Problems): PolicyRule[] {
  return shapes.map((shape, index) => readRule(shape, `${path}[${index}]`, problems))
}

function readRule({ protocol, ports, types }: RuleShape, path: string, problems: Problems): PolicyRule {
  const hasPorts = protocol === 'tcp' || protocol === 'udp'
  if (ports !== undefined && !hasPorts) problems.push(`${path}.ports: go with "tcp" and "udp" only`)
  if (types !== undefined && (hasPorts || protocol === 'any'))
    problems.push(`${path}.types: go with "icmp" and "icmp6" only`)
  if (hasPorts) return { protocol, ports: readPorts(ports ?? [], `${path}.ports`, problems) }
  if (protocol === 'any') return { protocol }
  for (const [index, type] of (types ?? []).entries())
    if (!isWithin(type, LAST_TYPE))
      problems.push(`${path}.types[${index}]: is not a number from 0 to ${LAST_TYPE}`)
  return { protocol, types: [...(types ?? [])] }
}

interface PortRange {
  first: number
  last: number
}

/** 443, or "8000-8010" with both ends included. */
function readPorts(ports: readonly (number | string)[], path: string, problems: Problems): PortRange[] {
  return ports.map((port, index) => {
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(String(port)) ?? []
    const range = { first: Number(first ?? port), last: Number(last ?? port) }
    if (!isWithin(range.first, LAST_PORT) || !isWithin(range.last, LAST_PORT) || range.first > range.last)
      problems.push(
        `${path}[${index}]: is neither a port from 0 to ${LAST_PORT} nor a range such as "8000-8010"`,
      )
    return range
  })
}

function isWithin(number: number, last: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= last
}
