import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { sha256 } from '../http/auth.ts'
import { startTestAnalyzer } from './analyzer.fixture.ts'

test("own spans go to the collector under a key of the instance's own project, which ends with the process", async () => {
  const received: { key: string; body: Buffer }[] = []
  const collector = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    received.push({ key: (request.headers.authorization ?? '').slice('Bearer '.length), body: Buffer.concat(chunks) })
    response.end()
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const port = String((collector.address() as AddressInfo).port)
  const analyzer = await startTestAnalyzer({ env: { LOOPKIT_SELF_TELEMETRY: 'true', LOOPKIT_OTLP_HTTP_PORT: port } })
  await analyzer.call('POST', '/v1/provision', { json: { project_name: 'seen' }, headers: { 'x-request-id': 'seen-1' } })
  await analyzer.call('GET', '/health')
  await analyzer.call('GET', '/v1/traces')
  received.length = 0
  await analyzer.stop()

  const spans = received.flatMap(({ body }) => [...decodeTraces(body)].map(({ span }) => span))
  expect(spans.map(({ name }) => name)).toEqual(['POST /v1/provision'])
  expect(JSON.stringify(received)).not.toContain('lk_agent_')
  const control = openDatabase(`${analyzer.dataDir}/control.db`, { role: 'reader' })
  const key = control
    .prepare('select tenant_id, operator, revoked_at_ms from api_key join project using (project_no) where key_hash = ?')
    .get(sha256(received[0]?.key ?? ''))
  expect(key).toEqual({ tenant_id: 'instance', operator: ' loopkit', revoked_at_ms: expect.any(Number) })
  control.close()
  await analyzer.end()
  collector.close()
})
