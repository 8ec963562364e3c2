/** The measurements as a person reads them. Pure. */

import type { ContainerFigures } from './container-figures.ts'
import type { Gap } from './gaps.ts'
import type { Machine } from './machine.ts'
import type { ManyHosts } from './many-hosts.ts'
import type { Comparison } from './paired-rounds.ts'
import type { CallFigures } from './plugin-calls.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** All that a run of the benchmarks has found. */
export interface Figures {
  readonly machine: Machine
  /** Before the measurement, and behind it. */
  readonly loads: readonly [number, number]
  readonly ofContainers?: ContainerFigures
  readonly manyHosts?: ManyHosts
  readonly gaps?: readonly Gap[]
}

export function report({ machine, loads, ofContainers, manyHosts, gaps }: Figures): string {
  const [before, after] = loads
  const { date, processor, cores, memoryGib, kernel } = machine
  return [
    `Linux ${kernel}, ${processor}, ${cores} cores, ${memoryGib} GiB, ${date}, load ${before.toFixed(1)} to ${after.toFixed(1)}`,
    ...(ofContainers === undefined ? [] : [containersText(ofContainers)]),
    ...(manyHosts === undefined ? [] : [hostsText(manyHosts)]),
    ...(gaps === undefined ? [] : [gapsText(gaps)]),
  ].join('\n\n')
}

function containersText(figures: ContainerFigures): string {
  const { engine, containers, atSocket, inLog, systemCalls, rounds, comparisons } = figures
  return [
    `The plugin's time for a container, of ${containers}, with Docker ${engine}, in ms`,
    callTable(atSocket, inLog),
    `The plugin's system calls for ${systemCalls.containers} containers, started and removed`,
    `execve ${systemCalls.execve}, fork ${systemCalls.fork}, fsync ${systemCalls.fsync}`,
    `A container through the Engine API, ${rounds} rounds in random order, in ms`,
    comparisonTable(comparisons),
  ].join('\n\n')
}

/** Milliseconds are datagrams: one was sent in each. */
function gapsText(gaps: readonly Gap[]): string {
  const rows = gaps.map(({ variant, what, backMs, passed }) => [
    variant,
    what,
    String(backMs.length),
    spread(spreadOf(backMs), 0),
    spread(spreadOf(passed), 0),
  ])
  const heading = [
    'iptables',
    '',
    'times',
    'whole again after, in ms',
    'datagrams that passed, one sent each ms',
  ]
  return ['What somebody does to the rules', table([heading, ...rows])].join('\n\n')
}

/** Of a cluster whose other hosts are records only. */
function hostsText({ hosts, allMs, joinMs, moveMs, systemCalls, memoryMib }: ManyHosts): string {
  const [before, after] = memoryMib
  return [
    `Among ${hosts} hosts on one link`,
    `all of them appear at once    ${fixed(allMs, 0)} ms from the first write to the last route`,
    `one more appears              ${spread(spreadOf(joinMs), 0)} ms`,
    `one gets another address      ${spread(spreadOf(moveMs), 0)} ms`,
    `programs started for one      ${systemCalls.fork}`,
    `memory of the plugin          ${fixed(before, 0)} MiB alone, ${fixed(after, 0)} MiB with them`,
  ].join('\n')
}

function callTable(atSocket: readonly CallFigures[], inLog: readonly CallFigures[]): string {
  const rows = atSocket.map(({ name, calls, p50, p99 }) => {
    const own = inLog.find((each) => each.name === name)
    const log = own === undefined ? ['', ''] : [fixed(own.p50, 2), fixed(own.p99, 2)]
    return [name, fixed(calls, 0), fixed(p50, 2), fixed(p99, 2), ...log]
  })
  return table([['', 'calls', 'p50', 'p99', 'p50 in its log', 'p99 in its log'], ...rows])
}

function comparisonTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ what, variant, base, milliseconds, difference, ratio }) => [
    what,
    variant,
    spread(milliseconds, 0),
    base,
    spread(difference, 0),
    spread(ratio, 2),
  ])
  const heading = ['', 'network', 'median (quartiles; least, greatest)', 'less and by', 'difference', 'ratio']
  return table([heading, ...rows])
}

function spread({ median, lower, upper, least, greatest }: Spread, digits: number): string {
  const [a, b, c, d, e] = [median, lower, upper, least, greatest].map((value) => fixed(value, digits))
  return `${a} (${b} to ${c}; ${d}, ${e})`
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits)
}

function table(rows: readonly (readonly string[])[]): string {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widthOf(column))).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}
