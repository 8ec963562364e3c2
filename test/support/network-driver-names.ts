/** The drivers that pass the cases of network-case.ts. */
export const DRIVERS = ['romana', 'bridge'] as const
export type DriverName = (typeof DRIVERS)[number]
