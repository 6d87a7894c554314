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
  /** Records a refusal, if the outcome is one. Never throws and writes nothing yet: the answer is already on its way. */
  recordOutcome(outcome: RequestOutcome): void
  /** Writes what is due: refusals of keys, and those counted in a minute that is over. To be called every second. */
  writeDue(): void
  /** Writes everything, as before an end or a walk of the chain. */
  flush(): void
}

/** Refusals without a right key that are counted apart in one minute; the rest share one row. */
const COUNTED_APART_MAX = 2_000
/** Refusals of keys that wait for the next write; what comes beyond is shed, and the log says how many. */
const WAITING_MAX = 5_000
/** Rows beyond which refusals are no longer written. Changes always are. */
const REFUSAL_ROWS_MAX = 1_000_000
const MINUTE_MS = 60_000

export function createAuditWriter(deps: AuditDeps): Audit {
  const { control, queries, clock } = deps
  const refusals = createRefusals(deps)
  return {
    flush: () => refusals.write(true),
    writeDue: () => refusals.write(false),
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
      if (facts.caller || facts.admin) refusals.add(entry)
      else refusals.count({ ...entry, body: null, bodyDigest: null })
    },
  }
}

/** Refusals on their way to the chain, in memory: a flood of them must not cost a sync to disk each. */
function createRefusals({ control, queries, clock, log }: AuditDeps) {
  let waiting: AuditEntry[] = []
  let counted = new Map<string, AuditEntry>()
  let countedMinute = 0
  let shed = 0

  const append = (entries: readonly AuditEntry[]): void => {
    if (shed > 0) log.warn({ code: 'audit.refusals_shed', count: shed }, 'more refusals than the audit takes')
    shed = 0
    if (entries.length === 0) return
    try {
      if (queries.lastSeq() >= REFUSAL_ROWS_MAX) return
      control.transaction((transaction) => {
        for (const entry of entries) queries.append(transaction, entry)
      })
    } catch (error) {
      log.error({ code: 'audit.refusals_lost', count: entries.length, err: error }, 'refusals could not be written')
    }
  }
  const write = (all: boolean): void => {
    const isOver = all || Math.floor(clock.nowMs() / MINUTE_MS) !== countedMinute
    const entries = [...waiting, ...(isOver ? counted.values() : [])]
    waiting = []
    if (isOver) counted = new Map()
    append(entries)
  }
  return {
    write,
    add: (entry: AuditEntry): void => {
      if (waiting.length < WAITING_MAX) waiting.push(entry)
      else shed += 1
    },
    count: (entry: AuditEntry): void => {
      const minute = Math.floor(entry.atMs / MINUTE_MS)
      if (minute !== countedMinute) write(true)
      countedMinute = minute
      const name = `${entry.address} ${entry.method} ${entry.route}`
      const isApart = counted.has(name) || counted.size < COUNTED_APART_MAX
      const known = counted.get(isApart ? name : '')
      if (known) known.count += 1
      else counted.set(isApart ? name : '', isApart ? entry : { ...entry, address: 'various', route: 'various' })
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
