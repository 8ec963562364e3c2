/**
 * The lab's one container image, made of programs of this machine: busybox, and the nc of OpenBSD as `netcat`, since
 * busybox's own nc knows no UDP. To ask whether something answers: `ping -c 1 -W 1 ADDRESS`, `netcat -z -w 1 ADDRESS PORT`,
 * `netcat -u -w 1 ADDRESS PORT`. Debian 12's busybox crashes on `wget -T`: say `timeout 2 wget` instead.
 */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type CommandResult, type RunOptions, run } from './command.ts'

/** What engines call the image. */
export const IMAGE = 'romana-lab/busybox'

const BUSYBOX = '/bin/busybox'
const NETCAT = '/bin/nc.openbsd'

/** Runs the docker command against one engine. */
export type Docker = (args: readonly string[], options?: RunOptions) => Promise<CommandResult>

/** The image as `docker load` takes it: busybox with all its applets as commands, netcat, and /www/index.html to serve. */
export async function packImage(): Promise<Uint8Array> {
  const work = mkdtempSync(join(tmpdir(), 'romana-image-'))
  try {
    const layer = await packLayer(join(work, 'layer'))
    const image = join(work, 'image')
    mkdirSync(image)
    writeFileSync(join(image, 'layer.tar'), layer)
    for (const [file, value] of Object.entries(imageFiles(layer))) {
      writeFileSync(join(image, file), JSON.stringify(value))
    }
    return await packDirectory(image)
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Gives the packed image to an engine, as {@link IMAGE}. */
export async function loadImage(docker: Docker, archive: Uint8Array): Promise<void> {
  await docker(['load'], { input: archive })
}

/** The image format of `docker save`. Pure. */
function imageFiles(layer: Uint8Array): Readonly<Record<string, unknown>> {
  const digest = createHash('sha256').update(layer).digest('hex')
  return {
    'manifest.json': [{ Config: 'config.json', RepoTags: [`${IMAGE}:latest`], Layers: ['layer.tar'] }],
    'config.json': {
      os: 'linux',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      // As process 1 busybox ignores SIGTERM: each stop of a container or an engine would take 10 s.
      config: { Cmd: ['sh'], Env: ['PATH=/bin'], StopSignal: 'SIGKILL' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    },
  }
}

async function packLayer(root: string): Promise<Uint8Array> {
  for (const directory of ['bin', 'etc', 'root', 'tmp', 'www'])
    mkdirSync(join(root, directory), { recursive: true })
  await addBusybox(root)
  await addNetcat(root)
  writeFileSync(join(root, 'www/index.html'), 'reached\n')
  return await packDirectory(root)
}

async function addBusybox(root: string): Promise<void> {
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'))
  const { stdout } = await run(BUSYBOX, ['--list'])
  const applets = stdout.split('\n').filter((name) => name !== 'busybox')
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet))
}

async function addNetcat(root: string): Promise<void> {
  copyFileSync(NETCAT, join(root, 'bin/netcat'))
  const { stdout } = await run('ldd', [NETCAT])
  // "libbsd.so.0 => /lib/x86_64-linux-gnu/libbsd.so.0 (0x…)" and "/lib64/ld-linux-x86-64.so.2 (0x…)"
  for (const [, library = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
}

async function packDirectory(directory: string): Promise<Uint8Array> {
  const archive = `${directory}.tar`
  await run('tar', ['--create', '--file', archive, '--directory', directory, '--owner=0', '--group=0', '.'])
  return readFileSync(archive)
}
