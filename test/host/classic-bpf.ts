/**
 * Runs a classic BPF program in the text form of `-m bpf --bytecode`, as the kernel would (linux/filter.h,
 * include/uapi/linux/bpf_common.h). Knows only the instructions that a segment filter may use, and throws on others.
 */

interface Instruction {
  readonly code: number
  readonly jumpTrue: number
  readonly jumpFalse: number
  readonly constant: number
}

/** xt_bpf takes no longer program (XT_BPF_MAX_NUM_INSTR, include/uapi/linux/netfilter/xt_bpf.h). */
const LONGEST = 64

/**
 * @param packet from its network header on.
 * @returns what the program returns; anything but 0 is a match.
 */
export function runClassicBpf(bytecode: string, packet: DataView): number {
  const program = parseBytecode(bytecode)
  let a = 0
  let x = 0
  for (let at = 0; ; at++) {
    const instruction = program[at]
    if (instruction === undefined) throw new Error(`The program runs past its end: ${bytecode}`)
    const { code, jumpTrue, jumpFalse, constant } = instruction
    if (code === 0x20) a = packet.getUint32(constant)
    else if (code === 0x54) a = (a & constant) >>> 0
    else if (code === 0x07) x = a
    else if (code === 0x1d) at += a === x ? jumpTrue : jumpFalse
    else if (code === 0x06) return constant
    else throw new Error(`Instruction ${code} is not known: ${bytecode}`)
  }
}

function parseBytecode(bytecode: string): Instruction[] {
  const [count, ...texts] = bytecode.split(',')
  if (Number(count) !== texts.length || texts.length > LONGEST)
    throw new Error(`The program has ${texts.length} instructions: ${bytecode}`)
  return texts.map((text) => {
    const [, code, jumpTrue, jumpFalse, constant] = /^(\d+) (\d+) (\d+) (\d+)$/.exec(text) ?? []
    const instruction = {
      code: numberUpTo(0xffff, code),
      jumpTrue: numberUpTo(0xff, jumpTrue),
      jumpFalse: numberUpTo(0xff, jumpFalse),
      constant: numberUpTo(0xffff_ffff, constant),
    }
    return instruction
  })
}

function numberUpTo(limit: number, text = 'nothing'): number {
  const number = Number(text)
  if (!(number <= limit)) throw new Error(`${text} is not a number up to ${limit}`)
  return number
}
