/** What somebody may do to the rules, and the lines that put it right. */

export interface Disturbance {
  /** What somebody did. */
  readonly what: string
  readonly table: string
  readonly lines: readonly string[]
  /** The lines of the plan for that table. */
  readonly plan: readonly string[]
}

const HOST_RULES = [
  '-A ROMANA-HOST -m conntrack --ctstate ESTABLISHED -j ACCEPT',
  '-A ROMANA-HOST -s 0.0.0.0/8 -j DROP',
  '-A ROMANA-HOST -i rmn+ -p icmp -m icmp --icmp-type 8 -j ACCEPT',
  '-A ROMANA-HOST -i rmne+ -p udp -m udp --dport 53 -j ACCEPT',
  '-A ROMANA-HOST -i rmne+ -p tcp -m tcp --dport 53 -j ACCEPT',
  '-A ROMANA-HOST -j DROP',
]
const REFILL_HOST = [':ROMANA-HOST - [0:0]', ...HOST_RULES]

export const DISTURBANCES: readonly Disturbance[] = [
  {
    what: 'deleted one of our rules',
    table: 'filter',
    lines: ['-D ROMANA-HOST -i rmn+ -p icmp -m icmp --icmp-type 8 -j ACCEPT'],
    plan: REFILL_HOST,
  },
  {
    what: 'added a rule to our chain',
    table: 'filter',
    lines: ['-A ROMANA-HOST -s 192.0.2.9/32 -j ACCEPT'],
    plan: REFILL_HOST,
  },
  {
    what: 'put a rule before ours in our chain',
    table: 'filter',
    lines: ['-I ROMANA-HOST 1 -j ACCEPT'],
    plan: REFILL_HOST,
  },
  {
    what: 'changed the order of our rules',
    table: 'filter',
    lines: ['-D ROMANA-HOST -j DROP', '-I ROMANA-HOST 1 -j DROP'],
    plan: REFILL_HOST,
  },
  { what: 'emptied our chain', table: 'filter', lines: [':ROMANA-HOST - [0:0]'], plan: REFILL_HOST },
  {
    what: 'emptied and deleted our chain',
    table: 'nat',
    lines: ['-D POSTROUTING -j ROMANA-POSTROUTING', ':ROMANA-POSTROUTING - [0:0]', '-X ROMANA-POSTROUTING'],
    plan: [
      ':ROMANA-POSTROUTING - [0:0]',
      '-A ROMANA-POSTROUTING -d 10.0.0.0/8 -m conntrack --ctstate DNAT -j ROMANA-HAIRPIN',
      '-A ROMANA-POSTROUTING -s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -o rmn+ -j MASQUERADE',
      '-I POSTROUTING 1 -j ROMANA-POSTROUTING',
    ],
  },
  {
    what: 'deleted our jump',
    table: 'raw',
    lines: ['-D PREROUTING -j ROMANA-PREROUTING'],
    plan: ['-I PREROUTING 1 -j ROMANA-PREROUTING'],
  },
  {
    what: "moved our jump behind Docker's",
    table: 'filter',
    lines: ['-D FORWARD -j ROMANA-FORWARD', '-A FORWARD -j ROMANA-FORWARD'],
    plan: ['-D FORWARD -j ROMANA-FORWARD', '-I FORWARD 2 -j ROMANA-FORWARD'],
  },
  {
    what: 'put an accept before our jump',
    table: 'filter',
    lines: ['-I INPUT 1 -s 192.0.2.0/24 -j ACCEPT'],
    plan: ['-D INPUT -j ROMANA-INPUT', '-I INPUT 1 -j ROMANA-INPUT'],
  },
  {
    what: 'put an accept between DOCKER-USER and our jump',
    table: 'filter',
    lines: ['-I FORWARD 2 -i docker0 -j ACCEPT'],
    plan: ['-D FORWARD -j ROMANA-FORWARD', '-I FORWARD 2 -j ROMANA-FORWARD'],
  },
  {
    what: "put our jump before DOCKER-USER, which is the person's and comes first",
    table: 'filter',
    lines: ['-D FORWARD -j ROMANA-FORWARD', '-I FORWARD 1 -j ROMANA-FORWARD'],
    plan: ['-D FORWARD -j ROMANA-FORWARD', '-I FORWARD 2 -j ROMANA-FORWARD'],
  },
  {
    what: 'duplicated our jump at the end',
    table: 'filter',
    lines: ['-A INPUT -j ROMANA-INPUT'],
    plan: ['-D INPUT -j ROMANA-INPUT', '-D INPUT -j ROMANA-INPUT', '-I INPUT 1 -j ROMANA-INPUT'],
  },
  {
    what: 'narrowed our jump',
    table: 'filter',
    lines: ['-D INPUT -j ROMANA-INPUT', '-I INPUT 1 -i eth1 -j ROMANA-INPUT'],
    plan: ['-D INPUT -i eth1 -j ROMANA-INPUT', '-I INPUT 1 -j ROMANA-INPUT'],
  },
  {
    what: 'went to our chain instead of jumping there',
    table: 'filter',
    lines: ['-I OUTPUT 1 -p tcp -m tcp --dport 22 -g ROMANA-HOST'],
    plan: ['-D OUTPUT -p tcp -m tcp --dport 22 -g ROMANA-HOST'],
  },
  {
    what: 'jumped to our chain from a chain where we do not',
    table: 'filter',
    lines: ['-A OUTPUT -j ROMANA-HOST'],
    plan: ['-D OUTPUT -j ROMANA-HOST'],
  },
  {
    what: 'left a chain of a Romana of before',
    table: 'filter',
    lines: [':ROMANA-OLD - [0:0]', '-A ROMANA-OLD -j DROP', '-I FORWARD 1 -j ROMANA-OLD'],
    plan: [
      ':ROMANA-OLD - [0:0]',
      '-D FORWARD -j ROMANA-OLD',
      '-D FORWARD -j ROMANA-FORWARD',
      '-I FORWARD 2 -j ROMANA-FORWARD',
      '-X ROMANA-OLD',
    ],
  },
]
