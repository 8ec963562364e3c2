/**
 * A program that a test kills: opens the store at its argument and commits for ever. It says each transaction's number
 * when the commit has been acknowledged. A transaction creates "/n/<number>" and puts its number to "/last".
 */
import { writeSync } from 'node:fs'
import { openEmbeddedStore } from '../../store/embedded.ts'

const store = await openEmbeddedStore(process.argv[2] ?? '')
let { length: number } = (await store.list('/n/')).entries
while (true) {
  number++
  const { committed } = await store.commit([
    { kind: 'create', key: `/n/${number}`, value: 'x'.repeat(300) },
    { kind: 'put', key: '/last', value: `${number}` },
  ])
  if (!committed) throw new Error(`/n/${number} is there already`)
  writeSync(process.stdout.fd, `${number}\n`)
}
