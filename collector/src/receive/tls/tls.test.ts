import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import {
  KEY,
  spanIdOf,
  startTestCollector,
  type TestCollector,
  traceIdOf,
  traceJson,
  until,
} from '../../start/collector.fixture.ts'
import { readTlsFiles, type TlsFiles, tlsFilesOf } from './tls-files.ts'

let folder: string
let collector: TestCollector
const at = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(at(name))

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
}

/** A certificate of this authority. */
function issue(name: string, authority: string, subject = '/CN=localhost'): void {
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    'x.csr',
    '-subj',
    subject,
  )
  writeFileSync(at('x.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const by = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial']
  openssl('x509', '-req', '-in', 'x.csr', ...by, '-days', '30', '-out', `${name}.pem`, '-extfile', 'x.ext')
}

function createAuthority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-subj',
    `/CN=${name}`,
    '-days',
    '30',
  )
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-tls-'))
  createAuthority('ca')
  createAuthority('other-ca')
  issue('server', 'ca')
  issue('next', 'ca')
  issue('client', 'ca', '/CN=exporter')
  issue('stranger', 'other-ca', '/CN=stranger')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => collector?.stop())

const env = (more: Record<string, string> = {}) => ({
  LOOPKIT_OTLP_TLS_CERT_FILE: at('server.pem'),
  LOOPKIT_OTLP_TLS_KEY_FILE: at('server.key'),
  ...more,
})

let next = 1
const oneSpan = () => traceJson([{ traceId: traceIdOf(next++), spanId: spanIdOf(1) }])

function post(options: RequestOptions, body = oneSpan()): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: 'localhost',
      port: collector.port(),
      path: '/v1/traces',
      method: 'POST',
      agent: false,
      ca: read('ca.pem'),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      ...options,
    })
    request.on('error', reject)
    request.on('response', (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.end(options.method === 'GET' ? undefined : body)
  })
}

/** The code of an export over gRPC; 14 where no connection came about. */
function exportOverGrpc(clientName: string | null): Promise<number> {
  const shown = clientName === null ? {} : { key: read(`${clientName}.key`), cert: read(`${clientName}.pem`) }
  const session = connectHttp2(`https://localhost:${collector.grpcPort()}`, { ca: read('ca.pem'), ...shown })
  return new Promise((resolve) => {
    const finish = (code: number) => {
      session.destroy()
      resolve(code)
    }
    session.on('error', () => finish(14)).on('close', () => finish(14))
    const call = session.request({
      ':method': 'POST',
      ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${KEY}`,
    })
    call.on('error', () => finish(14))
    call.on('trailers', (trailers) => finish(Number(trailers['grpc-status'])))
    call.resume().end(Buffer.alloc(5))
  })
}

const hints = () => collector.logLines.filter(({ code }) => code === 'receive.wrong_protocol').map(({ hint }) => hint)

describe('with a certificate and its key', () => {
  test('OTLP/HTTP, OTLP/gRPC and the health page are served over TLS, and nothing is in plain', async () => {
    collector = await startTestCollector({ env: env() })
    expect(await post({})).toBe(200)
    expect(await post({ path: '/health', method: 'GET' })).toBe(200)
    expect(await post({ path: '/metrics', method: 'GET' })).toBe(200)
    expect(await exportOverGrpc(null)).toBe(0)
    await expect(collector.send(oneSpan())).rejects.toThrow()
    await expect(post({ ca: read('other-ca.pem') })).rejects.toThrow(/certificate/)
  })

  test.each([
    ['http', 'http/1.1'],
    ['grpc', 'h2'],
  ])('%s agrees on %s', async (port, protocol) => {
    collector = await startTestCollector({ env: env() })
    const socket = connectTls({
      host: 'localhost',
      port: port === 'http' ? collector.port() : collector.grpcPort(),
      ca: read('ca.pem'),
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    expect(socket.alpnProtocol).toBe(protocol)
    socket.destroy()
  })

  test('a version of TLS below the least is refused', async () => {
    collector = await startTestCollector({ env: env({ LOOPKIT_OTLP_TLS_MIN_VERSION: '1.3' }) })
    await expect(post({ maxVersion: 'TLSv1.2' })).rejects.toThrow()
    expect(await post({ minVersion: 'TLSv1.3' })).toBe(200)
  })

  test('the analyzer passes spans on through a file that only this user may open', async () => {
    collector = await startTestCollector({ env: env({ LOOPKIT_KEYLESS_PROJECT: 'default' }) })
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest({
        socketPath: join(collector.dataDir, 'run', 'collector.sock'),
        path: '/v1/traces',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      })
      request.on('error', reject).on('response', (response) => resolve(response.resume().statusCode))
      request.end(oneSpan())
    })
    expect(status).toBe(200)
  })

  test('clients that speak in plain are told of in one line, however often they try', async () => {
    collector = await startTestCollector({ env: env() })
    for (let i = 0; i < 20; i++) await collector.send(oneSpan()).catch(() => {})
    await new Promise<void>((resolve) => {
      const session = connectHttp2(`http://localhost:${collector.grpcPort()}`)
      session.on('error', () => {}).on('close', () => resolve())
    })
    await until('the hint', () => (hints().length > 0 ? true : null))
    expect(hints()).toEqual([expect.stringContaining('without TLS on a TLS port')])
    expect(collector.logLines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('new files are served to new connections, broken ones are told of once and the former stay', async () => {
    writeFileSync(at('live.pem'), read('server.pem'))
    writeFileSync(at('live.key'), read('server.key'))
    collector = await startTestCollector({
      env: env({
        LOOPKIT_OTLP_TLS_CERT_FILE: at('live.pem'),
        LOOPKIT_OTLP_TLS_KEY_FILE: at('live.key'),
        LOOPKIT_OTLP_TLS_RELOAD_MS: '50',
      }),
    })
    const serial = (port: number) =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ host: 'localhost', port, ca: read('ca.pem'), ALPNProtocols: ['h2', 'http/1.1'] }, () => {
          resolve(socket.getPeerCertificate().serialNumber)
          socket.destroy()
        })
        socket.on('error', reject)
      })
    const before = await serial(collector.port())
    const coded = (wanted: string) => collector.logLines.filter(({ code }) => code === wanted)

    writeFileSync(at('draft'), read('next.pem'))
    renameSync(at('draft'), at('live.pem'))
    await until('the complaint', () => (coded('tls.unusable').length > 0 ? true : null))
    expect(await serial(collector.port())).toBe(before)

    writeFileSync(at('live.key'), read('next.key'))
    await until('the new certificate', () => (coded('tls.reloaded').length > 0 ? true : null))
    const after = await serial(collector.port())
    expect([after === before, await serial(collector.grpcPort())]).toEqual([false, after])
    expect(coded('tls.unusable')).toHaveLength(1)
    expect(await post({})).toBe(200)
  })
})

describe('with authorities for clients', () => {
  test.each([
    ['no certificate', null, false],
    ['the certificate of another authority', 'stranger', false],
    ['a certificate of theirs', 'client', true],
  ])('a client with %s is let in: %#', async (_, name, isLetIn) => {
    collector = await startTestCollector({ env: env({ LOOPKIT_OTLP_TLS_CLIENT_CA_FILE: at('ca.pem') }) })
    const shown = name === null ? {} : { cert: read(`${name}.pem`), key: read(`${name}.key`) }
    const status = await post(shown).catch(() => 0)
    expect([status, await exportOverGrpc(name)]).toEqual(isLetIn ? [200, 0] : [0, 14])
    if (!isLetIn) await until('a hint', () => (hints().some((hint) => String(hint).includes('CLIENT_CA_FILE')) ? true : null))
    expect(collector.rows('select 1 from segment')).toHaveLength(isLetIn ? 1 : 0)
  })
})

test('TLS on a plain port is refused with one line that says so, and so is HTTP/1.1 on the gRPC port', async () => {
  collector = await startTestCollector()
  for (let i = 0; i < 5; i++) await post({}).catch(() => {})
  expect(hints()).toEqual([expect.stringContaining('speaks TLS on the plain OTLP/HTTP port')])
  const socket = connect(collector.grpcPort(), '127.0.0.1')
  const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve))
  socket.resume().end('POST /v1/traces HTTP/1.1\r\nhost: x\r\n\r\n')
  await closed
  expect(hints()).toEqual([expect.anything(), expect.stringContaining('something other than gRPC')])
})

describe('files that cannot be used', () => {
  const files = (more: Partial<TlsFiles>): TlsFiles => ({
    certFile: at('server.pem'),
    keyFile: at('server.key'),
    clientCaFile: null,
    minVersion: 'TLSv1.2',
    ...more,
  })
  test.each([
    ['a file that is not there', () => files({ certFile: at('none.pem') }), /CERT_FILE.*none\.pem.*ENOENT/],
    ['a key where the certificate should be', () => files({ certFile: at('server.key') }), /CERT_FILE.*no certificate/],
    ['a certificate where the key should be', () => files({ keyFile: at('server.pem') }), /KEY_FILE.*no private key/],
    ['the key of another certificate', () => files({ keyFile: at('next.key') }), /next\.key is not that of/],
    ['authorities that are none', () => files({ clientCaFile: at('ca.key') }), /CLIENT_CA_FILE.*no certificate/],
  ])('%s is named', (_, given, expected) => {
    expect(() => readTlsFiles(given())).toThrow(expected)
  })

  test('half of TLS is an error, none is none', () => {
    const none = { otlpTlsCertFile: null, otlpTlsKeyFile: null, otlpTlsClientCaFile: null, otlpTlsMinVersion: '1.2' as const }
    expect(tlsFilesOf(none)).toBeNull()
    expect(() => tlsFilesOf({ ...none, otlpTlsCertFile: 'a' })).toThrow(/KEY_FILE is missing/)
    expect(() => tlsFilesOf({ ...none, otlpTlsKeyFile: 'a' })).toThrow(/CERT_FILE is missing/)
    expect(() => tlsFilesOf({ ...none, otlpTlsClientCaFile: 'a' })).toThrow(/CERT_FILE is missing/)
  })
})
