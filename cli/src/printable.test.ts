import { expect, test } from '@jest/globals'
import { printable } from './printable.ts'

test.each([
  ['an escape sequence cannot reach the terminal', '\u001b[31mred', '\uFFFD[31mred'],
  ['a line stays one line', 'a\nb\r\u2028c', 'a\uFFFDb\uFFFD\uFFFDc'],
  ['text cannot be turned around', 'a\u202Eb', 'a\uFFFDb'],
  ['ordinary text of any language stays', 'naïve 検索 ✓ 🙂', 'naïve 検索 ✓ 🙂'],
])('%s', (_name, text, expected) => {
  expect(printable(text)).toBe(expected)
})
