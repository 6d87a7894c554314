import { expect, test } from '@jest/globals'
import { judgeKey } from './authenticate.ts'

const NOW_MS = 1_000_000
const good = {
  projectNo: 7,
  projectId: 'shop-1a2b3c4d',
  quotaSpans: null,
  isSandbox: false,
  projectExpiresMs: null,
  deletedMs: null,
  scopes: 'telemetry:write',
  keyExpiresMs: null,
  revokedMs: null,
}

test.each([
  ['a revoked key is unknown', { revokedMs: 1 }, 'invalid_api_key'],
  ['a key is dead at the moment it expires', { keyExpiresMs: NOW_MS }, 'invalid_api_key'],
  ['a key without the scope may not write', { scopes: 'runs:write telemetry:read' }, 'insufficient_scope'],
  ['a scope that only starts alike is another', { scopes: 'telemetry:writer' }, 'insufficient_scope'],
  ['a key of a deleted project is refused', { deletedMs: 5 }, 'project_deleted'],
  ['an expired sandbox has its own code', { isSandbox: true, projectExpiresMs: NOW_MS }, 'sandbox_expired'],
])('%s', (_, change, code) => {
  expect(judgeKey({ ...good, ...change }, null, NOW_MS)).toMatchObject({ kind: 'refused', code })
})

test.each([
  ['a sound key', {}],
  ['one that expires later', { keyExpiresMs: NOW_MS + 1 }],
  ['a sandbox that has not ended', { isSandbox: true, projectExpiresMs: NOW_MS + 1, quotaSpans: 100 }],
  ['an upgraded sandbox keeps no end', { isSandbox: false, projectExpiresMs: 1 }],
])('%s names its project', (_, change) => {
  expect(judgeKey({ ...good, ...change }, null, NOW_MS)).toMatchObject({ projectNo: 7, projectId: 'shop-1a2b3c4d' })
})
