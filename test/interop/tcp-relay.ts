import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpRelay {
  url: string
  /** Connections so far, also those that nobody took. */
  connections(): number
  /** Connections from now on wait for this before they are passed on. */
  hold(until: Promise<unknown>): void
  close(): Promise<void>
}

/** Passes bytes on to a port of this machine; while nobody listens there, each connection is cut at once. */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const open = new Set<Socket>()
  let connections = 0
  let gate: Promise<unknown> = Promise.resolve()
  const server = createServer(async (near) => {
    connections++
    near.on('error', () => near.destroy())
    await gate
    const far = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    hold: (until) => {
      gate = until
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
