import type { LoadTemplate } from './load-template.ts'

/** What a load thread is to do. */
export interface LoadJob {
  host: string
  port: number
  key: string
  transport: 'http' | 'grpc'
  gzip: boolean
  /** Connections, each with one request under way. */
  connections: number
  /** Sent before the clock starts. */
  warmUpMs: number
  forMs: number
  /** Of all connections together; 0: as fast as is acknowledged. */
  spansPerSecond: number
  /** The run ends when so many are sent; 0: by time alone. */
  spansMax: number
  templates: LoadTemplate[]
}

export interface LoadResult {
  /** Acknowledged, without those that the answer calls rejected. */
  spans: number
  rejected: number
  /** Requests that were not answered with 200, and the last such answer. */
  refused: number
  refusal: string
  requests: number
  /** Of the bodies that were acknowledged, before compression. */
  bytes: number
  seconds: number
  /** From the first byte sent to the last of the answer, in ms, in order. */
  ackMs: Float64Array
  senderCpuSeconds: number
}
