/** Tables of who reaches whom. */
import type { Member } from './netns-member.ts'
import { PROTOCOLS, type Protocol } from './netns-probe.ts'

/**
 * Every pair of a sender and another receiver by every protocol, all at once. One line a pair that has something to say,
 * such as "a -> b: icmp tcp udp". A protocol that came but was not answered is in brackets, and one that was answered
 * though the receiver saw nothing of that source has an exclamation mark.
 * @param sourceAt the source address at which `to` sees `from`, when it is not that of `from`.
 */
export async function reachability(
  senders: readonly Member[],
  receivers: readonly Member[],
  sourceAt: (from: Member, to: Member) => string = ({ address }) => address,
): Promise<string> {
  await Promise.all(receivers.map((receiver) => receiver.arrivals()))
  const pairs = senders.flatMap((from) => receivers.filter((to) => to !== from).map((to) => ({ from, to })))
  const answers = await Promise.all(pairs.map(({ from, to }) => probeAll(from, to)))
  const arrivals = await Promise.all(
    receivers.map(async (to) => (await to.arrivals()).split('\n').map((line) => `${to.name} ${line}`)),
  )
  const come = new Set(arrivals.flat())
  const lines = pairs.map(async ({ from, to }, index) => {
    const words = PROTOCOLS.map(async (protocol, place) => {
      const hasCome = come.has(`${to.name} ${sourceAt(from, to)} ${protocol}`)
      const isAnswered = answers[index]?.[place] !== 'nothing'
      // A busy machine answers late: who was reached is asked once more.
      const isLate = hasCome && !isAnswered && (await from.probe(protocol, to.address)) !== 'nothing'
      return formatOutcome(protocol, isAnswered || isLate, hasCome)
    })
    const text = (await Promise.all(words)).filter((word) => word !== '').join(' ')
    return { pair: `${from.name} -> ${to.name}`, text }
  })
  return (await Promise.all(lines))
    .flatMap(({ pair, text }) => (text === '' ? [] : [`${pair}: ${text}`]))
    .join('\n')
}

/** What came back by each protocol. */
export function probeAll(from: Member, to: Pick<Member, 'address'>, source?: string): Promise<string[]> {
  const options = source === undefined ? {} : { from: source }
  return Promise.all(PROTOCOLS.map((protocol) => from.probe(protocol, to.address, options)))
}

function formatOutcome(protocol: Protocol, isAnswered: boolean, hasCome: boolean): string {
  if (isAnswered && !hasCome) return `!${protocol}`
  if (!hasCome) return ''
  return isAnswered ? protocol : `(${protocol})`
}
