/** Names of tenants and segments, as people give them. Pure. */
import * as v from 'valibot'
import { RomanaError } from '../errors.ts'
import { type Name, NameSchema } from '../store/ids.ts'

/** @throws RomanaError E_NAME */
export function parseName(what: 'tenant' | 'segment', text: string): Name {
  const parsed = v.safeParse(NameSchema, text)
  if (parsed.success) return parsed.output
  throw new RomanaError('E_NAME', {
    cannot: `use "${text}" as the name of a ${what}`,
    because: `a name ${parsed.issues[0].message}`,
  })
}
