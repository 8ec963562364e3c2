import { describe, expect, test } from 'vitest'
import { type Coprocess, makeRunCommand, startCoprocess } from '../../host/processes.ts'

const run = makeRunCommand()

/** A program of this test: Node reads it from its command line. */
function program(source: string): { file: string; args: readonly string[] } {
  return { file: process.execPath, args: ['-e', source] }
}

const ECHO = 'process.stdin.pipe(process.stdout)'
const SHOW_ENVIRONMENT = 'console.log(process.env.LC_ALL, process.env.XTABLES_LOCKFILE)'

describe('a command', () => {
  test('gives what it prints', async () => {
    expect(await run(program('console.log("one\\ntwo")'))).toBe('one\ntwo')
  })

  test('reads its input, and nothing when it has none', async () => {
    expect(await run({ ...program(ECHO), input: 'a\nb' })).toBe('a\nb')
    expect(await run(program(ECHO))).toBe('')
  })

  test('gets its arguments as they are: no shell reads them', async () => {
    const { file, args } = program('console.log(process.argv[1])')
    expect(await run({ file, args: [...args, '$(id) * "'] })).toBe('$(id) * "')
  })

  test('fails with its own words in one line', async () => {
    const failing = run(program('console.error("bad rule\\n  line 3"); process.exit(4)'))
    await expect(failing).rejects.toMatchObject({ code: 'E_COMMAND' })
    await expect(failing).rejects.toThrow(
      /^Cannot run ".*": .*exit code 4.*; bad rule; line 3 \(E_COMMAND\)$/,
    )
  })

  test('that does not exist fails and is named', async () => {
    await expect(run({ file: 'romana-no-such-program', args: ['--save'] })).rejects.toThrow(
      /^Cannot run "romana-no-such-program --save": .*ENOENT.* \(E_COMMAND\)$/,
    )
  })

  test('that does not end is ended', async () => {
    const endless = run({ ...program('setInterval(() => {}, 1000)'), timeoutMs: 300 })
    await expect(endless).rejects.toThrow(/timed out after 300 milliseconds/)
  })

  test('speaks English, and shares the lock of iptables where it is told to', async () => {
    expect(await run(program(SHOW_ENVIRONMENT))).toBe('C undefined')
    expect(await makeRunCommand('/host/run/xtables.lock')(program(SHOW_ENVIRONMENT))).toBe(
      'C /host/run/xtables.lock',
    )
  })
})

describe('a program that stays', () => {
  test('reads what is written and tells what it says on standard error', async () => {
    const { file, args } = program('process.stdin.pipe(process.stderr); console.log("not this")')
    const echo = startCoprocess(file, args)
    try {
      expect(await heard(echo, 'héllo\n', () => echo.write('héllo\n'))).toBe('héllo\n')
    } finally {
      echo.kill()
    }
    expect(await endOf(echo)).toMatch(/^Command was killed with SIGKILL/)
  })

  test('tells how it ended, and a write behind its end harms nobody', async () => {
    const { file, args } = program('process.exit(3)')
    const ending = startCoprocess(file, args)
    expect(await endOf(ending)).toMatch(/^Command failed with exit code 3/)
    ending.write('too late\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
  })

  test('may stop reading: what is written then harms nobody', async () => {
    const { file, args } = program(
      'process.stdin.destroy(); process.stderr.write("deaf"); setTimeout(() => {}, 5000)',
    )
    const deaf = startCoprocess(file, args)
    await heard(deaf, 'deaf', () => undefined)
    for (const line of ['one\n', 'two\n']) {
      deaf.write(line)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    deaf.kill()
    expect(await endOf(deaf)).toMatch(/SIGKILL/)
  })

  test('that does not exist has ended', async () => {
    const missing = startCoprocess('romana-no-such-program', [])
    missing.write('hello\n')
    expect(await endOf(missing)).toMatch(/ENOENT/)
  })
})

function endOf(coprocess: Coprocess): Promise<string> {
  return new Promise((resolve) => coprocess.onEnd(resolve))
}

/** All that it has said, once that ends with `last`. */
function heard(coprocess: Coprocess, last: string, start: () => void): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    coprocess.onStderr((piece) => {
      text += piece
      if (text.endsWith(last)) resolve(text)
    })
    start()
  })
}
