import { expect, test } from '@jest/globals'
import { readModels } from './read-models.ts'

const own = (models: unknown) => readModels('own.json', () => JSON.stringify({ models }))

test('the table of the product names each model in lower case, with prices', () => {
  const models = Object.entries(readModels(null))
  expect(models.length).toBeGreaterThan(20)
  for (const [name, { input, output }] of models) expect([name, input > 0, output >= 0]).toEqual([name.toLowerCase(), true, true])
})

test('a file changes, adds and takes out models and leaves the others', () => {
  const models = own({ 'GPT-4o': { input: 1, output: 2 }, 'our-own': { provider: 'us', input: 0, output: 0 }, 'gpt-4': null })
  expect(models['gpt-4o']).toEqual({ provider: 'unknown', input: 1, output: 2 })
  expect(models['our-own']).toEqual({ provider: 'us', input: 0, output: 0 })
  expect([models['gpt-4'], models['gpt-4.1']?.input]).toEqual([undefined, 2])
})

test.each([
  ['no object', '[]', /own.json: it has no object "models"/],
  ['no JSON', '{', /own.json/],
  ['a price that is text', '{"models":{"a":{"input":"1","output":1}}}', /input of a must be a number from 0/],
  ['a price below zero', '{"models":{"a":{"input":1,"output":-1}}}', /output of a/],
  ['a model without a price', '{"models":{"a":{"input":1}}}', /output of a/],
])('a file that is wrong is refused by name: %s', (_, text, message) => {
  expect(() => readModels('own.json', () => text)).toThrow(message)
})
