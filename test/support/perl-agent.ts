/** A Perl program of the tests that runs in a network namespace and does what lines on its standard input say. */
import { createInterface } from 'node:readline'
import { execa } from 'execa'

export interface PerlAgent extends AsyncDisposable {
  /** Gives the lines of the answer. @throws Error when the program has ended */
  ask(...words: readonly string[]): Promise<string[]>
}

/** Waits until it is ready. @param netns the namespace as a path. @throws Error when the program ends */
export async function startPerlAgent(program: string, netns: string): Promise<PerlAgent> {
  const child = execa('nsenter', [`--net=${netns}`, 'perl', program], {
    stdin: 'pipe',
    buffer: { stdout: false },
    reject: false,
  })
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  async function readAnswer(): Promise<string[]> {
    const answer: string[] = []
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`The agent in ${netns} has ended: ${(await child).stderr}`)
      if (value === '.') return answer
      answer.push(value)
    }
  }
  let last: Promise<unknown> = readAnswer()
  await last
  return {
    // One question after the other, also when one that failed is waited for no more.
    ask(...words) {
      const answer = last.then(() => {
        child.stdin.write(`${words.join(' ')}\n`)
        return readAnswer()
      })
      last = answer.catch(() => undefined)
      return answer
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child
    },
  }
}
