import { describe, expect, it } from 'vitest'
import { makeRevisionAge } from '../../store/revision-age.ts'

describe('makeRevisionAge()', () => {
  const clock = { ms: 0 }
  const at = (ms: number) => {
    clock.ms = ms
  }
  const make = () => makeRevisionAge(60_000, () => clock.ms)

  it('calls nothing old before the store was seen', () => {
    at(1_000_000)
    expect(make().isOld(1)).toBe(false)
  })

  it('calls a record old when it was there an age ago', () => {
    at(0)
    const age = make()
    age.observe(5)
    at(59_999)
    expect([4, 5, 6].map(age.isOld)).toEqual([false, false, false])
    at(60_000)
    expect([4, 5, 6].map(age.isOld)).toEqual([true, true, false])
  })

  it('counts a record that was written between two looks from the later one', () => {
    at(0)
    const age = make()
    age.observe(5)
    at(30_000)
    age.observe(9)
    at(60_000)
    expect([5, 6, 9].map(age.isOld)).toEqual([true, false, false])
    at(90_000)
    expect([5, 6, 9, 10].map(age.isOld)).toEqual([true, true, true, false])
  })

  it('does not forget when it is not asked for long', () => {
    at(0)
    const age = make()
    age.observe(5)
    at(10_000_000)
    age.observe(7)
    expect([5, 7].map(age.isOld)).toEqual([true, false])
  })

  it('is not made younger by looking again', () => {
    at(0)
    const age = make()
    for (let ms = 0; ms <= 60_000; ms += 1_000) {
      at(ms)
      age.observe(5)
    }
    expect(age.isOld(5)).toBe(true)
  })
})
