import type { OtlpSpan } from '../otlp/model.ts'
import type { SpanView } from '../span/record.ts'
import type { HintKind } from './hints/hint-kind.ts'
import type { SignalType } from './signal-type.ts'

/** What one span shows by itself, before it is known whether the error was its own. */
export interface Detection {
  signal: SignalType
  /** `error.type`, exception type, HTTP or gRPC status, SQLSTATE …; null where only a status says so. */
  errorType: string | null
  /** Redacted text of the error as sent; null where there is none. */
  message: string | null
  stack: string | null
  /** The code that the protocol gave: HTTP status from 400 on, gRPC status name, SQLSTATE; null where there is none. */
  code: string | null
  /** OTLP kind of the span: a client's and a server's failure of the same operation are two pains. */
  spanKind: number
  /** The user's own grouping (`loopkit.fingerprint`), which goes before ours. */
  userFingerprint: string | null
  /** A log record told of it: its pain does not depend on where the record was written. */
  isLog?: true
  /** Which rule and which attribute or event said so; shown by /why. */
  because: string
}

/** The key of a pain. Versioned; the same for every order, shard and replay. */
export interface Fingerprint {
  /** 16 bytes. */
  key: Uint8Array
  /** 16 bytes: the same without template and stack, so that a failure that merely changed its words is recognized. */
  parentKey: Uint8Array
  /** 16 bytes: the key that the scheme before gave it, by which its pain is known; null with the first scheme. */
  previousKey: Uint8Array | null
  template: string
  /** From raw text to key, in order. */
  steps: { step: string; value: string }[]
}

/** A span as blame sees it. */
export interface TraceSpan {
  span: OtlpSpan
  view: SpanView
  detection: Detection | null
}

/** A failure at its origin. */
export interface Failure {
  span: OtlpSpan
  view: SpanView
  detection: Detection
  fingerprint: Fingerprint
  sessionId: string
  /** Number of records this failure stands for, from tracestate `ot=th:`; 1 without sampling. */
  weight: number
  /** Failing ancestors that only passed the error on, the blast radius; then log records that tell of the same failure. */
  propagatedTo: TraceSpan[]
  /** The error reached the top of its trace, as far as that is known: what the whole run was for is lost, not only a step of it. */
  endedTrace: boolean
}

/** One session's part in one trace. */
export interface SessionPart {
  sessionId: string
  /** True where a span named the session; false for a trace that stands for itself. */
  explicit: boolean
  agent: string | null
  user: string | null
  spans: number
  turns: number
  toolCalls: number
  inputTokens: number
  outputTokens: number
  costUsd: number | null
  failures: number
  startUnixNano: bigint
  endUnixNano: bigint
}

/** Which operation a session's part in a trace is a run of. */
export interface RunEntry {
  sessionId: string
  service: string
  operation: string
  /** The span that names it. */
  spanId: Uint8Array
}

/** What judging a whole trace yields. Pure: the same spans in any order give the same answer. */
export interface JudgedTrace {
  failures: Failure[]
  sessions: SessionPart[]
  /** Of parts that are runs of an agent or a model. */
  runEntries: RunEntry[]
  /** Hex span id → session id, for every span. */
  sessionOf: Map<string, string>
  /** What a reader of the session should look at, and no pain; only where it was asked for. */
  hints: Hint[]
}

export interface Hint {
  /** Hex. */
  spanId: string
  sessionId: string
  kind: HintKind
  because: string
}
