import { expect, test } from '@jest/globals'
import { painIdOf } from './opaque-id.ts'
import { showWindow, windowOfLast } from './window.ts'

test.each([
  ['inside a minute', '2026-06-19T12:00:30.500Z', 60, '2026-06-19T11:01:00.000Z', '2026-06-19T12:01:00.000Z'],
  ['at its first moment', '2026-06-19T12:00:00.000Z', 1, '2026-06-19T12:00:00.000Z', '2026-06-19T12:01:00.000Z'],
  ['at its last moment', '2026-06-19T12:00:59.999Z', 1, '2026-06-19T12:00:00.000Z', '2026-06-19T12:01:00.000Z'],
])('a window is whole minutes and ends with the running one: %s', (_, now, since, from, to) =>
  expect(showWindow(windowOfLast(since, Date.parse(now)))).toEqual({ from, to }),
)

test('a pain has one id, of its project and fingerprint alone', () => {
  const key = new Uint8Array(16).fill(7)
  expect(painIdOf('a', key)).toMatch(/^pain_[0-9A-Za-z]{22}$/)
  expect(painIdOf('a', key)).toBe(painIdOf('a', new Uint8Array(key)))
  expect(painIdOf('b', key)).not.toBe(painIdOf('a', key))
})
