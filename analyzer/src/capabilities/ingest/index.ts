import type { StreamRoute } from '../../http/door.ts'
import { createForward, type FindCollector } from './forward.ts'

export type { CollectorAddress } from './forward.ts'

/** OTLP paths that the analyzer takes too, so that one base URL is enough. */
const PATHS = ['/v1/traces', '/v1/logs', '/v1/metrics']

/** OTLP on the analyzer's port: streamed to the collector, with the collector's own answers. */
export function createIngest({ findCollector }: { findCollector: FindCollector }): { streams: StreamRoute[]; close: () => void } {
  const { handle, close } = createForward(findCollector)
  return { streams: PATHS.map((path) => ({ path, handle })), close }
}
