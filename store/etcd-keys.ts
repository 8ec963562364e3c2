/** Keys and values as etcd keeps them: bytes, below the prefix of the cluster. Pure. */
import type { IKeyValue, IRangeRequest } from 'etcd3'
import type { Entry } from './store.ts'

/**
 * Below it each store writes down what it has committed last ({@link OwnerTokens}). Nobody lists or watches it: what
 * falls into a wider listing is left out.
 */
export const OWNERS = '/.owners/'

export function keyBytes(prefix: string, key: string): Buffer {
  return Buffer.from(`${prefix}${key}`)
}

/** The range of the keys that begin with `prefix + keyPrefix`: up to the first key behind all of them. */
export function rangeOf(
  prefix: string,
  keyPrefix: string,
): Required<Pick<IRangeRequest, 'key' | 'range_end'>> {
  const key = keyBytes(prefix, keyPrefix)
  const end = Buffer.from(key)
  let length = end.length
  while (length > 0 && end[length - 1] === 0xff) length -= 1
  // UTF-8 has no byte 0xff, and the prefix is not empty.
  end.writeUInt8(end.readUInt8(length - 1) + 1, length - 1)
  return { key, range_end: end.subarray(0, length) }
}

export function entryOf(prefix: string, { key, value, mod_revision: revision }: IKeyValue): Entry {
  return { key: keyText(prefix, key), value: value.toString(), revision: Number(revision) }
}

export function keyText(prefix: string, key: Buffer): string {
  return key.subarray(Buffer.byteLength(prefix)).toString()
}
