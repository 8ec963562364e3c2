import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { put, textOfList } from '../contract/store-steps.ts'
import { StoreFile } from './store-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'romana-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('what a killed process leaves', () => {
  it('is all that it has committed, also over several of them', async () => {
    const file = new StoreFile(join(folder, 'whole'))
    await put(await file.open(), '/a', '1')
    await put(await file.open(), '/b', '2')
    expect(await textOfList(await file.open(), '/')).toBe('/a=1 /b=2')
    await file.close()
  })

  it.each([0, 1 / 3, 2 / 3, 0.99])(
    'is nothing of a transaction of which it has written %f',
    async (share) => {
      const file = new StoreFile(join(folder, `torn-${share}`))
      await put(await file.open(), '/a', '1')
      await file.commitTorn([{ kind: 'put', key: '/b', value: '2' }], share)
      const next = await file.open()
      expect(await textOfList(next, '/')).toBe('/a=1')
      await put(next, '/c', '3')
      expect(await textOfList(await file.open(), '/')).toBe('/a=1 /c=3')
      await file.close()
    },
  )
})
