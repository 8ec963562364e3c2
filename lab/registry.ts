/** A registry for images and plugins on a host of the lab, without encryption. It ends with the host. */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { LabHost } from './lab-host.ts'
import { attachmentOf, type UnderlayKind } from './underlay.ts'
import { waitUntil } from './wait-until.ts'

const PORT = 5000
const CONFIG = '/etc/docker/registry/lab.json'
const STORAGE = '/var/lib/docker-registry'
const START_TIMEOUT_MS = 30_000

/**
 * Where the registry on the host with this number, from 1 on, listens: "198.18.1.11:5000". Engines use one without
 * encryption if started with `--insecure-registry` and this. Pure.
 */
export function registryAddress(underlay: UnderlayKind, number: number): string {
  return `${attachmentOf(underlay, number).address}:${PORT}`
}

/** Starts the registry on a host of the release sid and waits until it answers. @throws Error with what it printed */
export async function startRegistry(host: LabHost): Promise<void> {
  for (const directory of [CONFIG.replace(/[^/]+$/, ''), STORAGE]) {
    mkdirSync(host.rootPath(directory), { recursive: true })
  }
  // The configuration is YAML, of which JSON is a part.
  writeFileSync(host.rootPath(CONFIG), JSON.stringify(configuration()))
  const registry = host.startInside('docker-registry', ['serve', CONFIG])
  await waitUntil({ what: `the registry of ${host.name}`, timeoutMs: START_TIMEOUT_MS }, async () => {
    if (!registry.isRunning()) throw new Error(`Cannot start the registry of ${host.name}: ${registry.log()}`)
    const probe = await host.run('nc', ['-z', '127.0.0.1', String(PORT)], { reject: false })
    return probe.exitCode === 0
  })
}

function configuration() {
  return {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: STORAGE } },
    http: { addr: `:${PORT}` },
  }
}
