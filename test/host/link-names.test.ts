import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linkNames, parseContainerLink, parseHostLink } from '../../host/link-names.ts'
import { HOST_LINK_PREFIX } from '../../host/marks.ts'

const linkClass = fc.constantFrom('routed', 'internal')

test('an endpoint has two links that carry its number, and the class shows in the one that stays', () => {
  expect(linkNames('routed', 12)).toEqual({ hostLink: 'rmne12', containerLink: 'rmp12' })
  expect(linkNames('internal', 13)).toEqual({ hostLink: 'rmni13', containerLink: 'rmp13' })
})

test('names are read back as they were made, whatever the number', () => {
  fc.assert(
    fc.property(linkClass, fc.integer({ min: 1, max: 99_999_999_999 }), (ofClass, linkNumber) => {
      const { hostLink, containerLink } = linkNames(ofClass, linkNumber)
      expect(parseHostLink(hostLink)).toEqual({ linkClass: ofClass, linkNumber })
      expect(parseContainerLink(containerLink)).toBe(linkNumber)
      expect([parseHostLink(containerLink), parseContainerLink(hostLink)]).toEqual([undefined, undefined])
    }),
  )
})

test('the names of two numbers or classes differ, so that no link is taken for another', () => {
  fc.assert(
    fc.property(
      linkClass,
      fc.integer({ min: 1, max: 999 }),
      linkClass,
      fc.integer({ min: 1, max: 999 }),
      (...two) => {
        const [classA, a, classB, b] = two
        const isSame = classA === classB && a === b
        expect(linkNames(classA, a).hostLink === linkNames(classB, b).hostLink).toBe(isSame)
      },
    ),
  )
})

describe('a link is not taken for ours when it is called', () => {
  test.each([
    'rmne',
    'rmne0',
    'rmne05',
    'rmne1x',
    'xrmne1',
    'rmnx1',
    'rmn1',
    'rmne-1',
    'rmne1 ',
    'eth0',
    'lo',
    '',
  ])('"%s"', (name) => expect(parseHostLink(name)).toBeUndefined())

  test.each(['rmp', 'rmp0', 'rmp01', 'rmp1x', 'rmpe1', 'xrmp1', 'docker0', ''])('"%s"', (name) =>
    expect(parseContainerLink(name)).toBeUndefined(),
  )
})

test('container links do not begin like host links: the rules of endpoints must not meet them', () => {
  expect(linkNames('routed', 1).containerLink.startsWith(HOST_LINK_PREFIX)).toBe(false)
})

describe('a number is refused that', () => {
  test('makes a name longer than the kernel takes', () => {
    expect(linkNames('routed', 99_999_999_999).hostLink).toHaveLength(15)
    expect(() => linkNames('routed', 100_000_000_000)).toThrow(
      'Cannot name the link of endpoint number 100000000000: "rmne100000000000" is not a link name of at most 15 characters (E_HOST)',
    )
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('is %d', (linkNumber) => {
    expect(() => linkNames('routed', linkNumber)).toThrow(
      `Cannot name the link of endpoint number ${linkNumber}: `,
    )
  })
})
