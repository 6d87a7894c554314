import { expect, test } from '@jest/globals'
import { createCostOf } from './price-call.ts'
import { NO_TOKENS } from './settle-tokens.ts'

const costOf = createCostOf({
  'gpt-4o': { input: 2.5, output: 10, cache_read: 1.25 },
  'gpt-4o-2024-05-13': { input: 5, output: 15 },
  'claude-sonnet-4': { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, input_tokens_max: 200_000 },
  'embed-small': { input: 0.02, output: 0 },
})
const million = { input: 1_000_000, output: 1_000_000 }

test.each<[string, string | null, object, number | null]>([
  ['a listed model', 'gpt-4o', million, 12.5],
  ['a model in another case', 'GPT-4o', million, 12.5],
  ['a dated version', 'gpt-4o-2024-08-06', million, 12.5],
  ['a dated version with a price of its own', 'gpt-4o-2024-05-13', million, 20],
  ['a model behind a gateway', 'openrouter/openai/gpt-4o', million, 12.5],
  ['a model of a cloud', 'us.anthropic.claude-sonnet-4-20250514-v1:0', { input: 100_000, output: 0 }, 0.3],
  ['what is read from the cache', 'gpt-4o', { input: 1_000_000, output: 0, cache_read: 400_000 }, 2],
  ['what is written to the cache', 'claude-sonnet-4', { input: 100_000, output: 0, cache_creation: 100_000 }, 0.375],
  ['an embedding, which has no output', 'embed-small', { input: 1_000_000 }, 0.02],
  ['a model that is not listed', 'gpt-5', million, null],
  ['another variant of a listed one', 'gpt-4o-mini', million, null],
  ['a name that every object has', 'constructor', million, null],
  ['no model', null, million, null],
  ['no count of input', 'gpt-4o', { output: 5 }, null],
  ['no count of output', 'gpt-4o', { input: 5 }, null],
  ['more input than the prices hold for', 'claude-sonnet-4', { input: 200_001, output: 1 }, null],
  ['a cache without a price', 'gpt-4o', { input: 10, output: 1, cache_creation: 5 }, null],
  ['more cached than read', 'gpt-4o', { input: 10, output: 1, cache_read: 50 }, null],
])('the cost of %s', (_, model, tokens, cost) => {
  const got = costOf({ model, tokens: { ...NO_TOKENS, ...tokens }, cost_usd: null })
  if (cost === null) expect(got).toBeNull()
  else expect(got).toBeCloseTo(cost, 12)
})

test('a cost that was sent goes before the table', () => {
  expect(costOf({ model: 'gpt-4o', tokens: { ...NO_TOKENS, ...million }, cost_usd: 1.5 })).toBe(1.5)
})
