/** The names under which an engine knows the driver (docs/adr/0007): each has a socket of its own. */

/** That of the socket in the engine's plugin directory. */
export const PLAIN_NAME = 'romana'

/** That of the socket that config.json declares, where the plugin is installed as the documentation says. */
export const TAGGED_NAME = 'romana-net:latest'
