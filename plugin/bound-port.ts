/** What every kind of published port can do. */

/** A bound socket and what it passes on. */
export interface BoundPort {
  /** Ends both. */
  close(): Promise<void>
}
