import { describe, expect, test } from '@jest/globals'
import { type AuditEntry, type AuditRow, GENESIS_HASH, hashEntry, isRefusal, redactBody, verifyChain } from './audit.rules.ts'

const entry: AuditEntry = {
  atMs: 1,
  requestId: 'req_1',
  projectNo: 1,
  keyId: 'key_1',
  agentId: null,
  method: 'POST',
  route: '/v1/provision',
  status: 201,
  address: '127.0.0.1',
  bodyDigest: null,
  body: '{}',
  code: null,
  count: 1,
}

function chain(length: number): AuditRow[] {
  const rows: AuditRow[] = []
  for (let seq = 1; seq <= length; seq += 1) {
    const previousHash = rows.at(-1)?.hash ?? GENESIS_HASH
    const content = { ...entry, requestId: `req_${seq}` }
    rows.push({ ...content, seq, previousHash, hash: hashEntry(seq, content, previousHash) })
  }
  return rows
}

const at = (rows: AuditRow[], index: number): AuditRow => rows[index] as AuditRow

describe('walking the chain', () => {
  test.each<[string, (rows: AuditRow[]) => AuditRow[], number | null]>([
    ['as written', (rows) => rows, null],
    ['empty', () => [], null],
    ['with its head retired', (rows) => rows.slice(2), null],
    ['with a row changed', (rows) => rows.with(2, { ...at(rows, 2), status: 200 }), 3],
    ['with a count changed', (rows) => rows.with(0, { ...at(rows, 0), count: 2 }), 1],
    ['with a row taken out', (rows) => rows.toSpliced(1, 1), 3],
    ['with two rows swapped', (rows) => [at(rows, 0), at(rows, 2), at(rows, 1)], 3],
    [
      'with a row changed and its own hash made anew',
      (rows) => {
        const changed = { ...at(rows, 1), route: '/other' }
        return rows.with(1, { ...changed, hash: hashEntry(2, changed, changed.previousHash) })
      },
      3,
    ],
    ['with a first row that follows something', (rows) => [{ ...at(rows, 0), previousHash: new Uint8Array(32).fill(1) }], 1],
  ])('a chain %s', (_, tamper, firstBad) => {
    expect(verifyChain(tamper(chain(5)))).toMatchObject({ ok: firstBad === null, firstBad })
  })

  test('any one field changed in any row is found in that row', () => {
    const fields = Object.keys(entry) as (keyof AuditEntry)[]
    for (const field of fields) {
      for (const index of [0, 3]) {
        const rows = chain(5)
        const value = typeof entry[field] === 'number' ? Number(entry[field]) + 1 : `${entry[field]}x`
        expect(verifyChain(rows.with(index, { ...at(rows, index), [field]: value })).firstBad).toBe(index + 1)
      }
    }
  })
})

test.each<[string, number, string | null, boolean]>([
  ['GET', 200, null, false],
  ['POST', 201, null, false],
  ['GET', 401, 'invalid_key', true],
  ['GET', 403, 'insufficient_scope', true],
  ['GET', 429, 'rate_limited', true],
  ['GET', 404, 'pain_not_found', false],
  ['GET', 400, 'invalid_parameter', false],
  ['POST', 400, 'invalid_body', true],
  ['DELETE', 404, 'project_not_found', true],
  ['POST', 503, 'admin_disabled', true],
  ['POST', 503, 'storage_unavailable', false],
  ['POST', 500, 'internal_error', false],
])('%s that ends with %i %s is a refusal: %j', (method, status, code, expected) => {
  expect(isRefusal({ method, status, code })).toBe(expected)
})

const hex = 'ab'.repeat(32)
const key = `lk_agent_${'x'.repeat(49)}`

test.each<[unknown, string | null]>([
  [undefined, null],
  [{ project_name: 'shop' }, '{"project_name":"shop"}'],
  [
    { recovery_code: 'x', Code: 'y', 'Api-Key': 'z', nested: [{ token: { a: 1 } }] },
    '{"recovery_code":"[redacted]","Code":"[redacted]","Api-Key":"[redacted]","nested":[{"token":"[redacted]"}]}',
  ],
  [{ project_name: `my ${key} key`, [key]: 1 }, '{"project_name":"my [redacted] key","[redacted]":1}'],
  [{ note: hex }, '{"note":"[redacted]"}'],
  [{ note: 'Bearer abc' }, '{"note":"[redacted]"}'],
  ['text', '"text"'],
  [[[[[[[[1]]]]]]], '[[[[[["…"]]]]]]'],
  [{ long: 'x'.repeat(300) }, `{"long":"${'x'.repeat(256)}…"}`],
])('a body %j is kept as %s', (body, kept) => {
  expect(redactBody(body)).toBe(kept)
})

test('a body of a megabyte is kept in a few kilobytes', () => {
  const body = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, 'y'.repeat(200)]))
  expect(redactBody(body)?.length).toBeLessThan(5_000)
})
