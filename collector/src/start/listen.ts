import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo, Server as NetServer } from 'node:net'

/** Requests under way get this long to end when the process is asked to stop, in ms: its promise is 10 s for all of it. */
const STOP_GRACE_MS = 7_000

/** Listens and answers the port really taken. Rejects with EADDRINUSE and its like. */
export function listen(server: NetServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Listens on a socket file that only this user may open. What a killed process left there goes away first. */
export function listenOnFile(server: NetServer, path: string): Promise<void> {
  rmSync(path, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      server.off('error', reject)
      chmodSync(path, 0o600)
      resolve()
    })
  })
}

/** Takes no new connection, ends idle ones, waits for requests under way, cuts those that take too long. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
