import { expect, test } from '@jest/globals'
import { usualKeyAt, usualValueAt, usualValueEnd } from './key-value-form.ts'

const field = (tag: number, content: Uint8Array): Buffer => {
  const { length } = content
  const size =
    length < 0x80
      ? [length]
      : length < 0x4000
        ? [(length & 0x7f) | 0x80, length >> 7]
        : [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const key = (text: string) => field(0x0a, Buffer.from(text))
const value = (text: string) => field(0x12, Buffer.from(text))

/** Key and value of the KeyValue, found in the middle of other bytes; null where its form is not usual. */
function read(...parts: Uint8Array[]): [string, string] | null {
  const message = Buffer.concat(parts)
  const body = Buffer.concat([Buffer.from([0x0a, 0x12, 0x0a]), message, Buffer.from([0x0a, 0x01, 0x12, 0x00])])
  const [start, end] = [3, 3 + message.length]
  const keyAt = usualKeyAt(body, start, end)
  if (keyAt < 0) return null
  const valueText = body.toString('utf8', usualValueAt(body, start, keyAt), usualValueEnd(body, start, end, keyAt))
  return [body.toString('utf8', keyAt, keyAt + body[keyAt - 1]!), valueText]
}

test.each([0, 1, 123, 124, 16_383])('a value of %d bytes behind its key or in front of it', (bytes) => {
  const text = 'v'.repeat(bytes)
  expect(read(key('some.key'), value(text))).toEqual(['some.key', text])
  expect(read(value(text), key('some.key'))).toEqual(['some.key', text])
  expect(read(value(text), key(''))).toEqual(['', text])
})

test.each([
  ['nothing', []],
  ['no key', [value('v')]],
  ['no value', [key('k')]],
  ['a long key', [key('k'.repeat(128)), value('v')]],
  ['a long key behind', [value('v'), key('k'.repeat(128))]],
  ['a long value', [key('k'), value('v'.repeat(16_384))]],
  ['a long value in front', [value('v'.repeat(16_384)), key('k')]],
  ['a second key, which would win', [key('k'), value('v'), key('l')]],
  ['a second key in front', [key('l'), value('v'), key('k')].reverse()],
  ['two values', [value('v'), value('w'), key('k')]],
  ['an unknown field', [key('k'), value('v'), field(0x1a, Buffer.from('x'))]],
  ['a key cut off', [value('v'), Buffer.from([0x0a, 0x7f])]],
  ['a value cut off', [key('k'), Buffer.from([0x12, 0x7f])]],
])('%s is no usual form', (_, parts) => {
  expect(read(...parts)).toBeNull()
})
