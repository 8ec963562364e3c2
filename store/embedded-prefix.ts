/** The range of keys that begin with a prefix. Pure. */

const LAST_CODE_POINT = 0x10ffff
const BEFORE_SURROGATES = 0xd7ff
const AFTER_SURROGATES = 0xe000

/**
 * The first text behind all that begin with `prefix`, in the order of UTF-8 bytes, which is that of code points: "/b" for
 * "/a". Where no text is behind them (the empty prefix), an empty BLOB: SQLite sorts every BLOB behind every TEXT.
 */
export function prefixEnd(prefix: string): string | Uint8Array {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  while (points.at(-1) === LAST_CODE_POINT) points.pop()
  const last = points.pop()
  if (last === undefined) return new Uint8Array()
  const next = last === BEFORE_SURROGATES ? AFTER_SURROGATES : last + 1
  return String.fromCodePoint(...points, next)
}
