import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { AuditedChange, AuditNote } from '../../control/audited-change.ts'
import type { Control } from '../../control/control-database.ts'
import type { RequestOutcome } from '../../http/door.ts'
import type { RequestFacts } from '../../http/request-facts.ts'
import type { AuditQueries } from './audit.queries.ts'
import { type AuditEntry, isRefusal, redactBody } from './audit.rules.ts'

export interface AuditDeps {
  control: Control
  queries: AuditQueries
  clock: Clock
  log: Logger
}

export interface Audit {
  change: AuditedChange
  /** Records a refusal, if the outcome is one. Never throws: the answer is already on its way. */
  recordOutcome(outcome: RequestOutcome): void
  /** Writes the refusals that were counted so far. */
  flush(): void
}

/** Refusals without a right key that are counted apart in one minute; the rest share one row. */
const COUNTED_APART_MAX = 2_000
/** Rows beyond which refusals are no longer written. Changes always are. */
const REFUSAL_ROWS_MAX = 1_000_000
const MINUTE_MS = 60_000

export function createAuditWriter({ control, queries, clock, log }: AuditDeps): Audit {
  let counted = new Map<string, AuditEntry>()
  let countedMinute = 0

  const write = (entries: readonly AuditEntry[]): void => {
    try {
      if (entries.length === 0 || queries.lastSeq() >= REFUSAL_ROWS_MAX) return
      control.transaction((transaction) => {
        for (const entry of entries) queries.append(transaction, entry)
      })
    } catch (error) {
      log.error({ code: 'audit.refusals_lost', count: entries.length, err: error }, 'refusals could not be written')
    }
  }
  const flush = (): void => {
    const entries = [...counted.values()]
    counted = new Map()
    write(entries)
  }
  const countRefusal = (entry: AuditEntry): void => {
    const minute = Math.floor(entry.atMs / MINUTE_MS)
    if (minute !== countedMinute) flush()
    countedMinute = minute
    const name = `${entry.address} ${entry.method} ${entry.route}`
    const key = counted.has(name) || counted.size < COUNTED_APART_MAX ? name : 'overflow'
    const known = counted.get(key)
    if (known) known.count += 1
    else counted.set(key, key === 'overflow' ? { ...entry, address: 'various', route: 'various' } : entry)
  }

  return {
    flush,
    change: (request, work) => {
      const result = control.transaction((transaction) => {
        const note: AuditNote = { status: 200, projectNo: request.caller?.projectNo ?? null }
        const value = work(transaction, note)
        queries.append(transaction, entryOf(request, { ...note, code: null, atMs: clock.nowMs() }))
        return value
      })
      request.audited = true
      return result
    },
    recordOutcome: ({ facts, status, code }) => {
      if (facts.audited || facts.route === null || !isRefusal({ method: facts.method, status, code })) return
      const projectNo = facts.caller?.projectNo ?? null
      const entry = entryOf(facts, { status, code, projectNo, atMs: clock.nowMs() })
      if (facts.caller || facts.admin) write([entry])
      else countRefusal({ ...entry, body: null, bodyDigest: null })
    },
  }
}

interface Ending extends AuditNote {
  code: string | null
  atMs: number
}

function entryOf(request: RequestFacts, { status, projectNo, code, atMs }: Ending): AuditEntry {
  return {
    atMs,
    requestId: request.id,
    projectNo,
    keyId: request.caller?.keyId ?? (request.admin ? 'admin' : null),
    agentId: null,
    method: request.method,
    route: request.route ?? 'unmatched',
    status,
    address: request.address,
    bodyDigest: request.bodyDigest,
    body: redactBody(request.body),
    code,
    count: 1,
  }
}
