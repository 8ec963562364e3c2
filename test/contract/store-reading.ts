/** The contract of a store: `get` and `list`. */
import { expect } from 'vitest'
import { put, type StoreTest, textOfList } from './store-steps.ts'

export function testReading(it: StoreTest): void {
  it('has no entry at first', async ({ store }) => {
    expect(await store.get('/a')).toBeUndefined()
    expect(await textOfList(store, '')).toBe('')
  })

  it('gives back the value of a key and the revision of the transaction that wrote it', async ({ store }) => {
    const revision = await put(store, '/a', 'first\nsecond\0\u{feff}é\u{1f600}')
    expect(await store.get('/a')).toEqual({ key: '/a', value: 'first\nsecond\0\u{feff}é\u{1f600}', revision })
  })

  it('takes an empty value', async ({ store }) => {
    await put(store, '/a', '')
    expect((await store.get('/a'))?.value).toBe('')
  })

  it('lists what begins with a prefix and nothing else', async ({ store }) => {
    for (const key of ['/a', '/a/1', '/a/2', '/b', '/A/3', '/a0']) await put(store, key, 'x')
    expect(await textOfList(store, '/a/')).toBe('/a/1=x /a/2=x')
    expect(await textOfList(store, '/a')).toBe('/a=x /a/1=x /a/2=x /a0=x')
  })

  it('gives no meaning to % and _ in a prefix', async ({ store }) => {
    for (const key of ['/%', '/_', '/a', '/%b']) await put(store, key, 'x')
    expect(await textOfList(store, '/%')).toBe('/%=x /%b=x')
    expect(await textOfList(store, '/_')).toBe('/_=x')
  })

  it('sorts keys by their bytes, not by letters or by UTF-16', async ({ store }) => {
    for (const key of ['/\u{1f600}', '/\u{ffff}', '/a', '/B', '/é']) await put(store, key, 'x')
    expect(await textOfList(store, '/')).toBe('/B=x /a=x /é=x /\u{ffff}=x /\u{1f600}=x')
  })

  it('lists behind the last character of Unicode', async ({ store }) => {
    for (const key of ['\u{10ffff}', '\u{10ffff}a', '\u{10fffe}']) await put(store, key, 'x')
    expect(await textOfList(store, '\u{10ffff}')).toBe('\u{10ffff}=x \u{10ffff}a=x')
  })

  it('lists as of the revision of the last transaction, also of another prefix', async ({ store }) => {
    const revision = await put(store, '/b/1', 'x')
    expect((await store.list('/a/')).revision).toBe(revision)
  })
}
