import { expect, test } from '@jest/globals'
import { countTokens as exact } from 'gpt-tokenizer/encoding/o200k_base'
import { countTokens, isWithinTokens } from './token-count.ts'

const json = JSON.stringify(
  Array.from({ length: 200 }, (_, i) => ({ record_id: `rec_${i}`, name: `GET /cart/${i}`, at: '2026-06-19T08:00:00.000Z' })),
)

test.each([
  ['a short text', 'tool failed'],
  ['nothing', ''],
  ['something like a special token', 'x <|endoftext|> y'],
  ['JSON', json],
  ['one long word', 'a'.repeat(5000)],
  ['emoji', '😀'.repeat(3000)],
  ['Chinese', '漢字'.repeat(2000)],
  ['spaces', ' '.repeat(5000)],
  ['backslashes', '\\"'.repeat(3000)],
  ['lone surrogates', '\ud800'.repeat(2000)],
])('%s is counted, never short', (_, text) => {
  const tokens = countTokens(text)
  const least = exact(text, { disallowedSpecial: new Set() })
  expect(tokens).toBeGreaterThanOrEqual(least)
  expect(tokens).toBeLessThanOrEqual(least * 1.02 + 8)
  expect([isWithinTokens(text, tokens), text === '' || !isWithinTokens(text, tokens - 1)]).toEqual([true, true])
})

test('a hostile text takes no time to count', () => {
  const started = performance.now()
  isWithinTokens('😀'.repeat(500_000), 2000)
  expect(performance.now() - started).toBeLessThan(1000)
})
