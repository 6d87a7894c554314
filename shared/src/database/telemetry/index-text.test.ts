import { expect, test } from '@jest/globals'
import { toIndexText } from './index-text.ts'

test.each([
  ['plain text stays', 'checkout', 'checkout'],
  ['NUL is shown as U+FFFD', 'a\0b', 'a\ufffdb'],
  ['a lone surrogate is shown as U+FFFD', 'a\ud800b', 'a\ufffdb'],
  ['an emoji stays whole', '🛒', '🛒'],
  ['text is bounded', 'x'.repeat(1000), 'x'.repeat(256)],
  ['a cut through an emoji leaves no half of it', `${'x'.repeat(255)}🛒`, `${'x'.repeat(255)}\ufffd`],
])('%s', (_, text, expected) => {
  expect(toIndexText(text)).toBe(expected)
})
