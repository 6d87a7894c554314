import { expect, test } from '@jest/globals'
import { formatKey, isKeyShaped, KEY_BYTES, type KeyKind } from './key.ts'
import { formatProjectId, slugOf } from './project-id.ts'

const zeros = new Uint8Array(KEY_BYTES)
const ones = new Uint8Array(KEY_BYTES).fill(255)

test.each<[KeyKind, string]>([
  ['producer', 'lk_ingest_'],
  ['agent', 'lk_agent_'],
  ['dashboard', 'lk_dashboard_'],
])('a %s key starts with %s and has one length whatever its bits', (kind, prefix) => {
  for (const bytes of [zeros, ones]) {
    const key = formatKey(kind, bytes)
    expect(key.startsWith(prefix)).toBe(true)
    expect(key.length).toBe(prefix.length + 49)
    expect(isKeyShaped(key)).toBe(true)
  }
})

test('a key with any one character changed is known to be none', () => {
  const key = formatKey('agent', ones)
  for (let at = 0; at < key.length; at += 1) {
    const other = key[at] === 'x' ? 'y' : 'x'
    expect(isKeyShaped(key.slice(0, at) + other + key.slice(at + 1))).toBe(false)
  }
})

test.each([
  ['My App', 'my-app'],
  ['  --Zürich/Café 9-- ', 'zurich-cafe-9'],
  ['日本', 'project'],
  ['', 'project'],
  ['x'.repeat(100), 'x'.repeat(40)],
  [`${'x'.repeat(39)} yy`, 'x'.repeat(39)],
])('the slug of %j is %s', (name, slug) => {
  expect(slugOf(name)).toBe(slug)
  expect(formatProjectId(name, ones)).toBe(`${slug}-ffffffff`)
})
