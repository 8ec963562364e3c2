/** The flows of the engine tests on the real kernel: what gets lost shows, and nothing else does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { namespacePath } from '../../lab/lab-names.ts'
import { makeNetnsSet, type Netns } from '../support/netns.ts'
import { type PerlAgent, startPerlAgent } from '../support/perl-agent.ts'

const PROGRAM = new URL('../support/flow-agent.pl', import.meta.url).pathname
/** Longer than an answer counts as on its way, in milliseconds. */
const PATIENCE_MS = 1_300

describe('a connection and pings between two containers', () => {
  const set = makeNetnsSet()
  let far: Netns
  let sender: PerlAgent
  let receiver: PerlAgent

  beforeAll(async () => {
    const near = await set.make('near')
    far = await set.make('far')
    await near.ip(`link add eth0 type veth peer name eth0 netns ${far.name}`)
    for (const [netns, last] of [[near, 1] as const, [far, 2] as const])
      await netns.ip(`address add 192.0.2.${last}/24 dev eth0`, 'link set eth0 up')
    receiver = await start(far)
    sender = await start(near)
    await receiver.ask('listen', '9000')
    await sender.ask('connect', '9000', '192.0.2.2')
    await sender.ask('ping', '192.0.2.2')
  })
  afterAll(() => set.removeAll())

  it('lose nothing', async () => {
    await sleep(PATIENCE_MS)
    expect(await report()).toMatch(/received 9000 \d+ whole\nsent 9000 192\.0\.2\.2 0 open\npings 0 lost/)
  })

  it('notice packets that are lost, also those that are sent again', async () => {
    await far.run({
      file: 'nft',
      args: ['-f', '-'],
      input: 'table inet test { chain input { type filter hook input priority 0; policy drop; }\n}\n',
    })
    await sleep(500)
    await far.run({ file: 'nft', args: ['flush', 'ruleset'] })
    await sleep(PATIENCE_MS)
    expect(await report()).toMatch(
      /received 9000 \d+ whole\nsent 9000 192\.0\.2\.2 [1-9]\d* open\npings [1-9]\d* lost/,
    )
  })

  it('notice that the other end has gone', async () => {
    await receiver[Symbol.asyncDispose]()
    await sleep(300)
    expect((await sender.ask('report'))[0]).toMatch(/^sent 9000 192\.0\.2\.2 \d+ ended$/)
  })

  async function start(netns: Netns): Promise<PerlAgent> {
    const agent = await startPerlAgent(PROGRAM, namespacePath(netns.name))
    set.defer(async () => await agent[Symbol.asyncDispose]())
    return agent
  }

  async function report(): Promise<string> {
    const lines = [...(await receiver.ask('report')), ...(await sender.ask('report'))]
    return lines
      .join('\n')
      .replace(
        /pinged \S+ (\d+) (\d+)/,
        (_, sent, answered) => `pings ${Number(sent) - Number(answered)} lost`,
      )
  }
})
