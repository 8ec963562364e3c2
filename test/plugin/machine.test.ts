import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readMachineId } from '../../plugin/machine.ts'

describe('the id of a machine', () => {
  it.each([
    ['0123abcd\n', '0123abcd'],
    ['\n', `hostname:${hostname()}`],
  ])('%j is read as "%s"', async (content, id) => {
    const directory = await mkdtemp(`${tmpdir()}/romana-machine-id-`)
    onTestFinished(() => rm(directory, { recursive: true }))
    await writeFile(`${directory}/machine-id`, content)
    expect(await readMachineId(`${directory}/machine-id`)).toBe(id)
  })

  it('is the host name where there is no file', async () => {
    expect(await readMachineId('/nowhere/machine-id')).toBe(`hostname:${hostname()}`)
  })
})
