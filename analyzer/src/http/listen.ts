import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Listening {
  port: number
  url: string
  /** Takes no new connection, lets requests under way finish for so long, then cuts them. */
  close(graceMs: number): Promise<void>
}

/** Bounds of one connection (reliability.md §3.11). A body that is streamed on to the collector sets its own end. */
const SERVER_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 5_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}
const CONNECTIONS_MAX = 1_024

/** Listens, or rejects with the system's error (EADDRINUSE, EACCES). Port 0 takes a free one. */
export async function listen(app: RequestListener, { host, port }: { host: string; port: number }): Promise<Listening> {
  const server = createServer(SERVER_OPTIONS, app)
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const actual = (server.address() as AddressInfo).port
  const close = async (graceMs: number) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), graceMs)
    await closed
    clearTimeout(timer)
  }
  return { port: actual, url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`, close }
}
