/**
 * The one rule that isolates every segment: a socket-filter program for xt_bpf that is true when source and destination
 * differ in none of the bits that say prefix, tenant and segment. Pure.
 */
import type { AddressPlan } from '../address/address-plan.ts'
import { ADDRESS_BITS } from '../address/ip.ts'
import { segmentMask } from '../address/prefixes.ts'

/** Offset of the source address in the network header, RFC 791 and RFC 8200. The destination follows it. */
const SOURCE_OFFSET = { 4: 12, 6: 8 } as const

/** Classic BPF opcodes, include/uapi/linux/bpf_common.h. */
const LOAD_WORD = 0x20
const AND_CONSTANT = 0x54
const COPY_A_TO_X = 0x07
const JUMP_IF_A_EQUALS_X = 0x1d
const RETURN = 0x06
/** Any value but 0 means "match". */
const MATCH = 65535

/** The operand of `-m bpf --bytecode`, in the form `iptables-save` prints. */
export function segmentFilter(plan: AddressPlan): string {
  const words = maskWords(plan)
  const program = words.flatMap(({ offset, mask }, index) =>
    compareWord(plan, offset, mask, words.length - 1 - index),
  )
  program.push([RETURN, 0, 0, MATCH], [RETURN, 0, 0, 0])
  return `${program.length},${program.map((instruction) => instruction.join(' ')).join(',')}`
}

/** The mask as 32-bit words with their byte offset in the address; words without a bit are left out. */
function maskWords(plan: AddressPlan): { offset: number; mask: number }[] {
  const bits = ADDRESS_BITS[plan.cidr.family]
  const whole = segmentMask(plan)
  return Array.from({ length: bits / 32 }, (_, index) => ({
    offset: index * 4,
    mask: Number((whole >> BigInt(bits - 32 * (index + 1))) & 0xffff_ffffn),
  })).filter(({ mask }) => mask !== 0)
}

/** Loads, masks and compares one word of both addresses; unequal jumps over the `wordsLeft` words and the match. */
function compareWord(plan: AddressPlan, offset: number, mask: number, wordsLeft: number): number[][] {
  const { family } = plan.cidr
  const source = SOURCE_OFFSET[family] + offset
  const destination = source + ADDRESS_BITS[family] / 8
  const wordLength = 6
  return [
    [LOAD_WORD, 0, 0, destination],
    [AND_CONSTANT, 0, 0, mask],
    [COPY_A_TO_X, 0, 0, 0],
    [LOAD_WORD, 0, 0, source],
    [AND_CONSTANT, 0, 0, mask],
    [JUMP_IF_A_EQUALS_X, 0, wordsLeft * wordLength + 1, 0],
  ]
}
