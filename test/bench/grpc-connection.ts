import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { LoadConnection, Target } from './http-connection.ts'

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
/** Flag and length in front of a message. */
const FRAME_HEAD_BYTES = 5
const WINDOW_BYTES = 16 * 1024 ** 2
const GRPC_OK = '0'

/** One HTTP/2 connection with one call under way. The status is 200 for gRPC's OK, else gRPC's own number. */
export function openGrpcConnection({ host, port, headers }: Target): Promise<LoadConnection> {
  const session: ClientHttp2Session = connect(`http://${host}:${port}`, { settings: { initialWindowSize: WINDOW_BYTES } })
  let buffer = Buffer.alloc(0)
  const connection: LoadConnection = {
    memory(bodyBytes) {
      if (buffer.length < FRAME_HEAD_BYTES + bodyBytes) buffer = Buffer.alloc(FRAME_HEAD_BYTES + bodyBytes)
      return { bytes: buffer, bodyAt: FRAME_HEAD_BYTES }
    },
    send(bodyBytes) {
      buffer.writeUInt32BE(bodyBytes, 1)
      return call(session, headers, buffer.subarray(0, FRAME_HEAD_BYTES + bodyBytes))
    },
    close: () => session.destroy(),
  }
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve(connection))
    session.once('error', reject)
  })
}

function call(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  frame: Buffer,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const parts: Buffer[] = []
    let status = ''
    const noteStatus = (trailers: { 'grpc-status'?: string | string[] }) => {
      status = String(trailers['grpc-status'] ?? status)
    }
    stream.on('response', noteStatus)
    stream.on('trailers', noteStatus)
    stream.on('data', (chunk: Buffer) => parts.push(chunk))
    stream.on('error', reject)
    stream.on('close', () =>
      resolve({ status: status === GRPC_OK ? 200 : Number(status), body: Buffer.concat(parts).subarray(FRAME_HEAD_BYTES) }),
    )
    stream.end(frame)
  })
}
