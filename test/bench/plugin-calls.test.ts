import { expect, test } from 'vitest'
import { callsInLog, figuresOf } from '../../bench/plugin-calls.ts'

const container = (address: number, join: number, remove: number) => [
  { method: 'IpamDriver.RequestAddress', ms: address },
  { method: 'NetworkDriver.Join', ms: join },
  { method: 'NetworkDriver.DeleteEndpoint', ms: remove },
]

test('the calls of containers are summed for each start and each removal, and listed by method', () => {
  const figures = figuresOf([...container(1, 2, 10), ...container(3, 4, 20), ...container(1, 4, 30)])
  const lines = figures.map(({ name, calls, p50, p99 }) => `${name}: ${calls} ${p50} ${p99.toFixed(2)}`)
  expect(lines.join('\n')).toBe(
    [
      'all calls of a start: 2 5 6.96',
      'all calls of a removal: 1 20 29.80',
      'IpamDriver.RequestAddress: 1 1 2.96',
      'NetworkDriver.Join: 1 4 4.00',
      'NetworkDriver.DeleteEndpoint: 1 20 29.80',
    ].join('\n'),
  )
})

test("the plugin's own times are read from the engine's log, where its lines are quoted", () => {
  const line = (method: string, ms: number) =>
    `time="…" level=info msg="{\\"level\\":20,\\"method\\":\\"${method}\\",\\"ms\\":${ms},\\"msg\\":\\"answered\\"}" plugin=1`
  const log = [
    line('NetworkDriver.Join', 2.342),
    'time="…" level=info msg="other"',
    line('Plugin.Activate', 1),
  ]
  expect(callsInLog(log.join('\n'))).toEqual([
    { method: 'NetworkDriver.Join', ms: 2.342 },
    { method: 'Plugin.Activate', ms: 1 },
  ])
})
