/** What can be wrong with a tenant or segment that somebody names. Pure. */
import { RomanaError } from '../errors.ts'

/** @param what such as `tenant "blue"`. */
export function existsError(what: string): RomanaError {
  return new RomanaError('E_SEGMENT_EXISTS', { cannot: `make ${what}`, because: 'it is there already' })
}

/** @param what such as `tenant "blue"`. */
export function unknownError(what: string): RomanaError {
  return new RomanaError('E_SEGMENT_UNKNOWN', {
    cannot: `remove ${what}`,
    because: 'there is none of this name',
    remedy: 'The names are in: romana tenant list, romana segment list',
  })
}

/** @param what such as `tenant "blue"`. */
export function inUseError(what: string, because: string, remedy: string): RomanaError {
  return new RomanaError('E_SEGMENT_IN_USE', { cannot: `remove ${what}`, because, remedy })
}
