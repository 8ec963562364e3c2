/** What every kind of published port can do, and whom it serves. */
import { Ip } from '../address/ip.ts'
import { isLoopback } from '../host/port-rules.ts'

/** A bound socket and what it passes on. */
export interface BoundPort {
  /** Ends both. */
  close(): Promise<void>
}

/**
 * Whether a socket's address is of loopback. What comes from elsewhere has missed its translation, because the rules are gone, or
 * is not translated (from link-local addresses, which have a zone). @param text as Node.js gives it
 */
export function isLoopbackText(text: string | undefined): boolean {
  return text !== undefined && !text.includes('%') && isLoopback(Ip.parse(text))
}
