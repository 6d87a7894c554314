import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { grpcPortOf } from '../harness/grpc-calls.ts'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import { projectRoot, type ServiceProcess, startService } from '../harness/service-process.ts'
import type { ProjectKeys } from '../harness/start-product.ts'

/** Both processes with certificates on the OTLP ports, clients' among them. */
let folder: string
let collector: ServiceProcess
let analyzer: ServiceProcess
let keys: ProjectKeys
let env: Record<string, string>
const at = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(at(name))

function issueAll(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = (name: string) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`]
  openssl('req', '-x509', ...key('ca'), '-out', 'ca.pem', '-subj', '/CN=authority', '-days', '2')
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  for (const name of ['server', 'client']) {
    openssl('req', ...key(name), '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...by)
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-tls-'))
  issueAll()
  env = {
    LOOPKIT_OTLP_TLS_CERT_FILE: at('server.pem'),
    LOOPKIT_OTLP_TLS_KEY_FILE: at('server.key'),
    LOOPKIT_OTLP_TLS_CLIENT_CA_FILE: at('ca.pem'),
    LOOPKIT_SELF_TELEMETRY: 'false',
  }
  const dataDir = at('data')
  analyzer = await startService({
    name: 'analyzer',
    dataDir,
    env: { ...env, LOOPKIT_ANALYZER_PORT: '0', LOOPKIT_OTLP_HTTP_PORT: '0' },
  })
  collector = await startService({
    name: 'collector',
    dataDir,
    env: { ...env, LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: '0' },
  })
  keys = await until('a project', async () => {
    const answer = await callApi(`http://127.0.0.1:${analyzer.port}/v1/provision`, { json: { project_name: 'tls' } }).catch(
      () => null,
    )
    return answer?.status === 201 ? answer.json<ProjectKeys>() : null
  })
})
afterAll(async () => {
  await Promise.all([collector.end('SIGTERM'), analyzer.end('SIGTERM')])
  rmSync(folder, { recursive: true, force: true })
})

const body = (n: number) =>
  `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${`${n}`.repeat(32)}","spanId":"${`${n}`.repeat(16)}","name":"work"}]}]}]}`
const isFound = async (n: number) => {
  const url = `http://127.0.0.1:${analyzer.port}/v1/traces/${`${n}`.repeat(32)}/receipt`
  return (await callApi(url, { key: keys.agent_key })).json<{ found: boolean }>().found
}

test('the ingest URL of a project says https, and spans arrive there with a client certificate', async () => {
  expect(keys.ingest_url).toMatch(/^https:\/\/127\.0\.0\.1:\d+/)
  const status = await new Promise((resolve, reject) => {
    const request = httpsRequest(`${keys.ingest_url.replace(/\/v1\/traces$/, '')}/v1/traces`, {
      method: 'POST',
      ca: read('ca.pem'),
      cert: read('client.pem'),
      key: read('client.key'),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.producer_key}` },
    })
    request.on('error', reject).on('response', (response) => resolve(response.resume().statusCode))
    request.end(body(1))
  })
  expect([status, await isFound(1)]).toEqual([200, true])
})

test('the analyzer passes spans on without a certificate of its own, through a file for its user alone', async () => {
  const answer = await sendOtlp(`http://127.0.0.1:${analyzer.port}`, keys.producer_key, body(2))
  expect([answer.status, await isFound(2)]).toEqual([200, true])
  expect(statSync(join(at('data'), 'run', 'collector.sock')).mode & 0o777).toBe(0o600)
})

test.each([
  ['with a client certificate', true, 0],
  ['without one', false, 14],
])('gRPC %s', async (_, shows, code) => {
  const shown = shows ? ([read('client.key'), read('client.pem')] as const) : ([null, null] as const)
  const client = new Client(`localhost:${grpcPortOf(at('data'))}`, credentials.createSsl(read('ca.pem'), ...shown))
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${keys.producer_key}`)
  const asIs = (bytes: Buffer) => bytes
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
  const answered = await new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), metadata, (error) => resolve(error?.code ?? 0))
  })
  client.close()
  expect(answered).toBe(code)
})

test('files that cannot be used end the start with 78 and one line that names them', () => {
  const started = spawnSync(process.execPath, [join(projectRoot, 'collector/src/main.ts')], {
    env: { PATH: process.env.PATH, ...env, LOOPKIT_DATA_DIR: at('other'), LOOPKIT_OTLP_TLS_KEY_FILE: at('client.key') },
    encoding: 'utf8',
  })
  expect([started.status, started.stderr.trim().split('\n')]).toEqual([
    78,
    [expect.stringMatching(/the key in .*client\.key is not that of the certificate in .*server\.pem/)],
  ])
})
