import { expect, test } from 'vitest'
import { quantile, shuffled, spreadOf } from '../../bench/statistics.ts'

test('a quantile lies between two values in proportion, whatever their order', () => {
  expect([0, 0.25, 0.5, 0.99, 1].map((fraction) => quantile([30, 10, 20], fraction))).toEqual([
    10, 15, 20, 29.8, 30,
  ])
  expect(quantile([7], 0.99)).toBe(7)
})

test('nothing can be said about no values', () => {
  expect(() => quantile([], 0.5)).toThrow('Cannot say anything about no values')
})

test('a spread has the median, the quartiles and both ends', () => {
  expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, lower: 2, upper: 4, least: 1, greatest: 5 })
})

test('shuffling keeps every item and follows the random numbers', () => {
  const numbers = [0.9, 0.1, 0.5]
  expect(shuffled(['a', 'b', 'c'], () => numbers.shift() ?? 0).join(' ')).toBe('b c a')
})
