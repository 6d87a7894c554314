import { join, relative, resolve } from 'node:path'

/** Of `sun_path`, without its last byte; macOS has 104. */
const SOCKET_PATH_MAX_BYTES = 103

/**
 * Where the collector listens for the analyzer when its ports speak TLS: a file that only their user may open, so that the
 * analyzer needs no certificate. As a path from here where that is shorter; null where even that is too long for a socket.
 */
export function collectorSocketPath(dataDir: string): string | null {
  const path = resolve(join(dataDir, 'run', 'collector.sock'))
  const shorter = relative(process.cwd(), path)
  return [path, shorter].find((one) => Buffer.byteLength(one) <= SOCKET_PATH_MAX_BYTES) ?? null
}
