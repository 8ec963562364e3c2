/** Who is in a truth table: somebody with an address, or several, who sends and receives. */

/** Where a container is. */
export interface PlaceNetwork {
  /** All networks of this name are one, but those of Docker's bridges on different hosts. */
  readonly name: string
  /** Nothing of it goes outside. */
  readonly internal: boolean
}

/**
 * `container`: on a Romana network. `bridge`: a container on a network of Docker's own. `host`: one with an engine and the
 * plugin. `outsider`: a machine on the link of the hosts that is none of them. `outside`: one behind the router.
 */
export type PlaceKind = 'container' | 'bridge' | 'host' | 'outsider' | 'outside'

/** What the oracle may know of a place: no address. */
export interface Place {
  /** "blue-web-1@h1", "h1". */
  readonly name: string
  readonly kind: PlaceKind
  /** The host's name; of the host itself too. */
  readonly host?: string
  /** Of containers. */
  readonly network?: PlaceNetwork
}

/** By which address a place is called. */
export interface Door {
  readonly place: Place
  /** "h1", or "h1 by blue-web" for its gateway in that network. */
  readonly name: string
  /** The network whose gateway it is. */
  readonly gatewayOf?: string
}
