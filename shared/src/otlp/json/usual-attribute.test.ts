import { expect, test } from '@jest/globals'
import { transcodeTracesJson } from '../transcode-json.ts'

const LIMITS = { jsonDepthMax: 300, jsonValuesMax: 100_000 }

const transcode = (attributes: object[], space: string, limits = LIMITS) => {
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', attributes }
  const json = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }, null, space)
  return Buffer.from(transcodeTracesJson(new TextEncoder().encode(json), limits).body).toString('hex')
}

const attribute = (key: string, value: object) => ({ key, value })
const near = (...lengths: number[]) => lengths.flatMap((length) => [length - 2, length - 1, length, length + 1, length + 2])
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, ...near(100, 108, 118, 123, 127, 128, 160, 380, 420, 440, 512)]
// White space sends the reader part by part.
const READ_BY_PARTS = ' '

test.each(LENGTHS)('an attribute is the same however it is read: keys of %i bytes', (length) => {
  const values = [...LENGTHS.map((size) => ({ stringValue: 'x'.repeat(size) })), { intValue: '7' }]
  for (const value of values) {
    const attributes = [attribute('k'.repeat(length), value), attribute('after', { stringValue: 'end' })]
    expect(transcode(attributes, '')).toBe(transcode(attributes, READ_BY_PARTS))
  }
})

test.each([
  ...[
    '',
    '0',
    '00',
    '-0',
    '-1',
    '1.5',
    '1e3',
    ' 1',
    '007',
    '999999999999999',
    '1000000000000000',
    '9223372036854775807',
    'x',
  ].map((intValue) => ({ intValue })),
  ...[0, 200, 2 ** 53, -1, 1e21].map((intValue) => ({ intValue })),
  ...['"', '\\', '\n', 'ü', '€', '😀', '\u0000', 'abc"', '{"key":"'].map((stringValue) => ({ stringValue })),
  { stringValue: 'a', intValue: '1' },
  { stringValue: null },
  { boolValue: true },
  {},
])('a value is the same however it is read: %j', (value) => {
  for (const key of ['k', 'a.longer.key', '"', 'ü', '\\u']) {
    const attributes = [attribute(key, value), attribute(key, value)]
    expect(transcode(attributes, '')).toBe(transcode(attributes, READ_BY_PARTS))
  }
})

test('attributes count as so many values and levels however they are read', () => {
  const attributes = Array.from({ length: 50 }, (_, n) => attribute(`key-${n}`, { stringValue: `text-${n}` }))
  const fits = (space: string, limits: typeof LIMITS) => {
    try {
      transcode(attributes, space, limits)
      return true
    } catch {
      return false
    }
  }
  for (let jsonValuesMax = 190; jsonValuesMax < 225; jsonValuesMax++)
    expect(fits('', { ...LIMITS, jsonValuesMax })).toBe(fits(READ_BY_PARTS, { ...LIMITS, jsonValuesMax }))
  for (let jsonDepthMax = 6; jsonDepthMax < 12; jsonDepthMax++)
    expect(fits('', { ...LIMITS, jsonDepthMax })).toBe(fits(READ_BY_PARTS, { ...LIMITS, jsonDepthMax }))
})
