import { expect, test } from '@jest/globals'
import { judgeKey } from './authenticate.ts'

const NOW_MS = 1_000_000
const good = {
  project_no: 7,
  project_id: 'shop-1a2b3c4d',
  quota_spans: null,
  sandbox: 0,
  project_expires_ms: null,
  deleted_at_ms: null,
  scopes: 'telemetry:write',
  key_expires_ms: null,
  revoked_at_ms: null,
}

test.each([
  ['a revoked key is unknown', { revoked_at_ms: 1 }, 'invalid_api_key'],
  ['a key is dead at the moment it expires', { key_expires_ms: NOW_MS }, 'invalid_api_key'],
  ['a key without the scope may not write', { scopes: 'runs:write telemetry:read' }, 'insufficient_scope'],
  ['a scope that only starts alike is another', { scopes: 'telemetry:writer' }, 'insufficient_scope'],
  ['a key of a deleted project is refused', { deleted_at_ms: 5 }, 'project_deleted'],
  ['an expired sandbox has its own code', { sandbox: 1, project_expires_ms: NOW_MS }, 'sandbox_expired'],
])('%s', (_, change, code) => {
  expect(judgeKey({ ...good, ...change }, null, NOW_MS)).toMatchObject({ kind: 'refused', code })
})

test.each([
  ['a sound key', {}],
  ['one that expires later', { key_expires_ms: NOW_MS + 1 }],
  ['a sandbox that has not ended', { sandbox: 1, project_expires_ms: NOW_MS + 1, quota_spans: 100 }],
  ['an upgraded sandbox keeps no end', { sandbox: 0, project_expires_ms: 1 }],
])('%s names its project', (_, change) => {
  expect(judgeKey({ ...good, ...change }, null, NOW_MS)).toMatchObject({ projectNo: 7, projectId: 'shop-1a2b3c4d' })
})
