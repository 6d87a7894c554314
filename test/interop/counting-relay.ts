import { createHash } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RelayedRequest {
  path: string
  headers: IncomingHttpHeaders
  /** null: nobody answered, and the exporter's connection was cut. */
  status: number | null
  answer: string
  /** SHA-256 of the body: two alike are one batch sent twice. */
  bodyDigest: string
}

export interface CountingRelay {
  url: string
  requests: RelayedRequest[]
  /** Requests from now on wait for this before they are passed on. */
  hold(until: Promise<unknown>): void
  close(): Promise<void>
}

/** Stands between an exporter and the product and passes all on unchanged, so that a test sees what really went over. */
export async function startCountingRelay(targetUrl: string): Promise<CountingRelay> {
  const target = new URL(targetUrl)
  const requests: RelayedRequest[] = []
  let gate: Promise<unknown> = Promise.resolve()
  const server = createServer(async (request, response) => {
    const seen: RelayedRequest = { path: request.url ?? '', headers: request.headers, status: null, answer: '', bodyDigest: '' }
    requests.push(seen)
    await gate
    const { hostname, port } = target
    const upstream = httpRequest({ hostname, port, path: request.url, method: request.method, headers: request.headers })
    // An answer that came before the whole body was read is whole all the same.
    upstream.on('error', () => seen.status === null && response.destroy())
    upstream.on('response', (answer) => {
      seen.status = answer.statusCode ?? 0
      response.writeHead(seen.status, answer.rawHeaders)
      answer.on('data', (chunk: Buffer) => {
        seen.answer += chunk.toString()
      })
      answer.pipe(response)
    })
    const digest = createHash('sha256')
    request.on('data', (chunk: Buffer) => digest.update(chunk))
    request.on('close', () => {
      seen.bodyDigest = digest.digest('hex')
    })
    request.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    hold: (until) => {
      gate = until
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
