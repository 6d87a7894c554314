import type { SignalType } from '../signals/signal-type.ts'

/** JSON as an agent reads it. An integer beyond ±2^53, NaN and ±Infinity are text; bytes are base64. */
export type JsonValue = null | string | boolean | number | JsonValue[] | { [key: string]: JsonValue }

/** One view of model usage, whatever the dialect. `input` includes the cached subset; nothing is counted twice. */
export interface Tokens {
  input: number | null
  output: number | null
  total: number | null
  /** Subsets of `input`. */
  cache_read: number | null
  cache_creation: number | null
  /** A subset of `output`. */
  reasoning: number | null
}

/** What the dialects say in their own words, said in one. null where the telemetry does not say. */
export interface SpanView {
  /** What kind of work this is: decides which rules apply. */
  kind:
    | 'chat'
    | 'embeddings'
    | 'tool'
    | 'agent'
    | 'workflow'
    | 'retrieval'
    | 'guardrail'
    | 'http'
    | 'database'
    | 'rpc'
    | 'messaging'
    | 'other'
  /** Low-cardinality name of the work, e.g. `GET /users/:id`, `chat`, `execute_tool search`, `SELECT orders`. */
  operation: string
  service: string
  agent: string | null
  tool: string | null
  model: string | null
  provider: string | null
  tokens: Tokens
  cost_usd: number | null
  user: string | null
  release: string | null
  environment: string | null
  /** The span's own session or conversation id; inheritance is settled per trace (see sessions). */
  session: string | null
  finish_reasons: string[]
  /** Field of this view → the attribute it was read from. */
  derived_from: Record<string, string>
}

export interface RecordEvent {
  name: string
  time_unix_nano: string
  attributes: Record<string, JsonValue>
}

export interface RecordLink {
  trace_id: string
  span_id: string
  trace_state: string
  attributes: Record<string, JsonValue>
}

/** What only a log record has. */
export interface RecordLog {
  severity_number: number
  severity_text: string
  event_name: string
  observed_unix_nano: string | null
  body: JsonValue
}

/** A normalized span or log record: what `/v1/telemetry` and `/v1/sessions/{id}` answer (contract §4). */
export interface SpanRecord {
  record_id: string
  kind: 'span' | 'log'
  /** The text that was sent where it was not hex, else lower-case hex. */
  trace_id: string
  span_id: string
  parent_span_id: string | null
  session_id: string
  name: string
  service: string
  span_kind: number
  signal_type: SignalType | null
  /** RFC 3339. */
  received_at: string
  start_unix_nano: string
  end_unix_nano: string | null
  status: { code: number; message: string }
  attributes: Record<string, JsonValue>
  events: RecordEvent[]
  resource: { attributes: Record<string, JsonValue>; schema_url: string }
  scope: { name: string; version: string; attributes: Record<string, JsonValue>; schema_url: string }
  links: RecordLink[]
  trace_state: string
  flags: number
  dropped: { attributes: number; events: number; links: number }
  operation: string
  agent: string | null
  tool: string | null
  model: string | null
  tokens: Tokens
  cost_usd: number | null
  user: string | null
  release: string | null
  environment: string | null
  derived_from: Record<string, string>
  /** Times that cannot be right (end before start, zero, beyond 2^63): kept as sent, clamped where indexed. */
  clock_suspect: boolean
  /** Absent for a span. */
  log?: RecordLog
  /** How much was cut from what is shown (never from what is stored): attributes, events and links left out, values shortened. */
  shown_cut: { attributes: number; values: number; events: number; links: number }
}
