import { createHash } from 'node:crypto'

/** What one audit row says; `count` is above 1 only for refusals without a right key. */
export interface AuditEntry {
  atMs: number
  requestId: string
  projectNo: number | null
  keyId: string | null
  agentId: string | null
  method: string
  route: string
  status: number
  address: string
  bodyDigest: string | null
  body: string | null
  code: string | null
  count: number
}

export interface AuditRow extends AuditEntry {
  seq: number
  previousHash: Uint8Array
  hash: Uint8Array
}

export interface ChainVerdict {
  ok: boolean
  rows: number
  /** The first row that was changed, or that does not follow the one before it. */
  firstBad: number | null
}

/** What the first row of all follows. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32)

/** The hash that ties a row to its content and to the row before it. */
export function hashEntry(seq: number, entry: AuditEntry, previousHash: Uint8Array): Buffer {
  const { atMs, requestId, projectNo, keyId, agentId, method, route, status, address, bodyDigest, body, code, count } = entry
  const content = [seq, atMs, requestId, projectNo, keyId, agentId, method, route, status, address, bodyDigest, body, code, count]
  return createHash('sha256').update('audit-v1\n').update(previousHash).update(JSON.stringify(content)).digest()
}

/**
 * Walks rows in the order of `seq` and names the first that is wrong: changed, removed before it, reordered or put in.
 * A chain whose head was retired by retention starts at its first row. A tail that was cut off leaves no trace in the rows
 * themselves: compare `rows` with an earlier walk.
 */
export function verifyChain(rows: Iterable<AuditRow>): ChainVerdict {
  let count = 0
  let expected: { seq: number; hash: Uint8Array } | null = null
  for (const row of rows) {
    count += 1
    const previous: Uint8Array = expected?.hash ?? (row.seq === 1 ? GENESIS_HASH : row.previousHash)
    const follows = expected === null || row.seq === expected.seq
    const linked = Buffer.compare(row.previousHash, previous) === 0
    const untouched = Buffer.compare(row.hash, hashEntry(row.seq, row, row.previousHash)) === 0
    if (!follows || !linked || !untouched) return { ok: false, rows: count, firstBad: row.seq }
    expected = { seq: row.seq + 1, hash: row.hash }
  }
  return { ok: true, rows: count, firstBad: null }
}

/** Whether a request that ended so leaves a row although it changed nothing: refused for who asked, or refused a change. */
export function isRefusal({ method, status, code }: { method: string; status: number; code: string | null }): boolean {
  if ([401, 402, 403, 429].includes(status) || code === 'admin_disabled') return true
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS' && status >= 400 && status < 500
}

/** Bounds of a body in the audit: what it says must be seen, not kept whole. */
const DEPTH_MAX = 6
const FIELDS_MAX = 64
const TEXT_MAX_CHARACTERS = 256
const BODY_MAX_CHARACTERS = 4_096
const REDACTED = '[redacted]'

const SECRET_NAME =
  /^(authorization|proxy_authorization|cookie|set_cookie|password|passwd|secret|token|(\w+_)?api_?key|key|producer_key|agent_key|(recovery_)?code|admin_token)$/
/** Shapes of keys, tokens and codes: a prefix that issuers use, a JSON web token, PEM, a header's value, or 64 hex digits. */
const SECRET_SHAPE =
  /\b(sk-|gh[opus]_|github_pat_|AKIA|xox.-|AIza|glpat-|npm_|lk_(ingest|agent|dashboard)_|eyJ)[\w\-.]{8,}|-----BEGIN [\s\S]*|\b(Bearer|Basic)\s+\S+|\b[0-9a-f]{64}\b|:\/\/[^\s/:@]+:[^\s/@]+@/gi

/** A body as the audit keeps it: bounded, with secrets taken out by name and by shape. Null where there was none. */
export function redactBody(body: unknown): string | null {
  if (body === undefined) return null
  const text = JSON.stringify(redact(body, 0))
  return text.length <= BODY_MAX_CHARACTERS ? text : JSON.stringify({ truncated: text.slice(0, BODY_MAX_CHARACTERS / 2) })
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (value === null || typeof value !== 'object') return value
  if (depth >= DEPTH_MAX) return '…'
  if (Array.isArray(value)) return value.slice(0, FIELDS_MAX).map((item) => redact(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, FIELDS_MAX)
      .map(([name, field]) => [redactText(name), isSecretName(name) ? REDACTED : redact(field, depth + 1)]),
  )
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replaceAll(/[-.]/g, '_'))
}

/** Cuts first: a pattern must not run over a megabyte. A secret that the cut falls into is cut with a margin. */
function redactText(text: string): string {
  const bounded = text.slice(0, TEXT_MAX_CHARACTERS * 2).replaceAll(SECRET_SHAPE, REDACTED)
  return bounded.length > TEXT_MAX_CHARACTERS ? `${bounded.slice(0, TEXT_MAX_CHARACTERS)}…` : bounded
}
