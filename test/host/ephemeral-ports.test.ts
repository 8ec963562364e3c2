import { expect, test } from 'vitest'
import { parseEphemeralPorts } from '../../host/ephemeral-ports.ts'

test("the range is the kernel's", () => {
  expect(parseEphemeralPorts('32768\t60999\n')).toEqual({ first: 32768, last: 60999 })
})

test.each(['', 'many', '0 100', '9 8', '1 70000'])('of "%s" it is the one that Docker takes then', (text) => {
  expect(parseEphemeralPorts(text)).toEqual({ first: 49153, last: 65535 })
})
