import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'

const EXPORT = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
} as const

/** grpc-js's own number for gzip, of the channel option `grpc.default_compression_algorithm`. */
const GZIP = 2

export interface GrpcAnswer {
  code: number
  details: string
  /** Of a success, as bytes. */
  message: Buffer | null
  /** `grpc-status-details-bin`: a google.rpc.Status, as text in which the type names can be read. */
  statusDetails: string
}

export interface GrpcSender {
  /** One Export call, or a call of another method. */
  call(body: Uint8Array, options?: { key?: string | null; to?: keyof typeof EXPORT | `/${string}` }): Promise<GrpcAnswer>
  close(): void
}

export function grpcPortOf(dataDir: string): number {
  return JSON.parse(readFileSync(join(dataDir, 'run', 'collector.json'), 'utf8')).otlpGrpcPort
}

/** The gRPC client of JavaScript, without an exporter around it. */
export function createGrpcSender(port: number, ownKey: string | null, { gzip = false } = {}): GrpcSender {
  const options = gzip ? { 'grpc.default_compression_algorithm': GZIP } : {}
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)
  const asIs = (bytes: Buffer) => bytes
  return {
    close: () => client.close(),
    call: (body, { key = ownKey, to = 'traces' } = {}) =>
      new Promise((resolve) => {
        const metadata = new Metadata()
        if (key !== null) metadata.set('authorization', `Bearer ${key}`)
        const path = to.startsWith('/') ? to : EXPORT[to as keyof typeof EXPORT]
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from(body), metadata, (error, message) =>
          resolve(error ? failure(error) : { code: 0, details: '', message: message ?? null, statusDetails: '' }),
        )
      }),
  }
}

function failure({ code, details, metadata }: ServiceError): GrpcAnswer {
  return { code, details, message: null, statusDetails: metadata.get('grpc-status-details-bin').join('') }
}

export interface RawCall {
  write(bytes: Uint8Array): void
  end(bytes?: Uint8Array): void
  cancel(): void
  /** Resolves when the server has ended its side, or the stream was cut. */
  answer: Promise<{ headers: Record<string, unknown>; trailers: Record<string, unknown>; data: Buffer }>
}

/** gRPC frame by frame, for what a proper client never sends and for the bytes that it hides. */
export function openRawConnection(port: number): { session: ClientHttp2Session; open(headers: Record<string, string>): RawCall } {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  const defaults = { ':method': 'POST', ':path': EXPORT.traces, 'content-type': 'application/grpc', te: 'trailers' }
  return {
    session,
    open(headers) {
      const stream = session.request({ ...defaults, ...headers })
      const answer = new Promise<Awaited<RawCall['answer']>>((resolve) => {
        const parts: Buffer[] = []
        let head: Record<string, unknown> = {}
        let trailers: Record<string, unknown> = {}
        stream.on('response', (received) => {
          head = received
        })
        stream.on('trailers', (received) => {
          trailers = received
        })
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('error', () => {})
        stream.on('close', () => resolve({ headers: head, trailers, data: Buffer.concat(parts) }))
      })
      return {
        write: (bytes) => void stream.write(bytes),
        end: (bytes) => void stream.end(bytes),
        cancel: () => stream.close(8),
        answer,
      }
    },
  }
}

/** A message with its prefix of five bytes. */
export function framed(message: Uint8Array, { flag = 0, announced = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5)
  prefix[0] = flag
  prefix.writeUInt32BE(announced, 1)
  return Buffer.concat([prefix, message])
}
