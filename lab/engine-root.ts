/** The root file systems of the lab's hosts: a small Debian with Docker and what tests run beside it. */
import { debianRoot } from './debian-root.ts'

/** `sid` has Docker 28 or newer, `bookworm` has Docker 20.10. */
export type Release = 'sid' | 'bookworm'

const PACKAGES = [
  ...['conntrack', 'docker.io', 'iproute2', 'iptables', 'nftables', 'procps', 'tini'],
  // sid: the docker command's own `compose`; bookworm: the program of version 1.
  'docker-compose',
]
/** bookworm's docker.io holds the docker command itself. */
const MORE_PACKAGES: Readonly<Record<Release, readonly string[]>> = {
  sid: ['docker-cli', 'docker-registry', 'etcd-client', 'etcd-server'],
  bookworm: [],
}

/** The root file system of a release, to be used read-only. @throws ExecaError when it cannot be made */
export function engineRoot(release: Release): Promise<string> {
  return debianRoot({ release, packages: [...PACKAGES, ...MORE_PACKAGES[release]] })
}
