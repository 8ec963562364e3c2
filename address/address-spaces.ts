/**
 * The names of Romana's address spaces. A network whose pool comes from another space was made without Romana's IPAM
 * driver. Two names, since for one the engine would not compare automatic pools with the routes of the host.
 */
export const LOCAL_ADDRESS_SPACE = 'RomanaLocal'
export const GLOBAL_ADDRESS_SPACE = 'RomanaGlobal'
