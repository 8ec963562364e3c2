/** Dockerfile makes the same plugin as `npm run plugin`: with the builder that every engine has, and without a network. */
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { run } from '../../lab/command.ts'
import { startLab } from '../../lab/lab.ts'
import { summarize } from '../../lab/plugin-tree.ts'
import { buildImage, importDockerfileBase } from '../support/dockerfile-base.ts'
import { addressOf, createNetwork, PLUGIN, PLUGIN_DIRECTORY, startIdle } from '../support/romana-host.ts'

const BASE = 'romana-lab/debian'
const IMAGE = 'romana-plugin'

it('Dockerfile makes the same plugin as the script, file by file, and it works', {
  timeout: 900_000,
}, async () => {
  await using lab = await startLab({
    name: 'dockerfile',
    hosts: [{ name: 'h1', release: 'sid' }],
    underlay: 'layer2',
  })
  const [host] = lab.hosts
  if (host === undefined) throw new Error('The lab has no host')
  await importDockerfileBase(host, BASE)
  // Again, beside the sources that it is compared with: those may have changed since this run began.
  await run(process.execPath, ['lab/build-plugin.ts'])
  const expected = summarize(PLUGIN_DIRECTORY)
  const context = '/var/tmp/context'
  mkdirSync(host.rootPath(context))
  await copySources(host.rootPath(context))
  const { stdout: time } = await run('git', ['log', '-1', '--format=%ct'])
  await buildImage(host, [
    '--build-arg',
    `BASE=${BASE}`,
    '--build-arg',
    `TIME=${time}`,
    '--tag',
    IMAGE,
    context,
  ])

  const { stdout: container } = await host.docker(['create', IMAGE])
  await host.docker(['cp', `${container}:/plugin`, '/var/tmp/plugin'])
  expect(summarize(host.rootPath('/var/tmp/plugin'))).toEqual(expected)

  await host.docker(['plugin', 'create', PLUGIN, '/var/tmp/plugin'])
  await host.docker(['plugin', 'enable', PLUGIN])
  await createNetwork(host, 'web')
  await startIdle(host, 'one', 'web')
  expect(await addressOf(host, 'one')).toMatch(/^10\.1\./)
})

/** What a clone has: neither packages nor results. .dockerignore is judged by it too. */
async function copySources(target: string): Promise<void> {
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  const files = stdout.split('\n').filter((file) => existsSync(file))
  for (const file of files) cpSync(file, `${target}/${file}`)
}
