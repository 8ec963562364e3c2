/** The options that every command over the admin API has. */
import { ADMIN_SOCKET } from './admin-client.ts'

export const ADMIN_ARGS = {
  json: { type: 'boolean', description: 'Print JSON', default: false },
  socket: { type: 'string', description: "The plugin's socket for administration", default: ADMIN_SOCKET },
} as const
