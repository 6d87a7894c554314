import { type FailureRow, failureColumns, toRolledFailure } from '@loopkit/shared/rollup/failure-row'
import { createPainRollup, type PainRollup, type PainRollupRow } from '@loopkit/shared/rollup/pain-rollup'
import type { RetainedStore } from './retained-store.ts'

/** Adds decided failures to the hour and the day of their decision. */
export interface FailureRollUp {
  /** At most one short transaction; false when all are in. */
  rollNext(): boolean
}

const HOUR_MS = 3_600_000
const HOURS = { minutes: 60, hours: 1 }
const DAYS = { minutes: 1440, hours: 24 }
/** Failures that one step reads, and rows of each width that it writes, some 2 ms: what waits for the lock waits no longer. */
const FAILURES_PER_STEP = 1_500
const ROWS_PER_STEP = 150
const DECISIONS_PER_LOOK = 200

interface DecisionRow {
  decision_no: number
  project_no: number
  decided_ms: number
  first_failure_no: number
  last_failure_no: number
}

interface Added {
  projectNo: number
  fingerprintNo: number
  bucket: number
  rollup: PainRollup
}

/** What is added to hours, as it is to be added to wider buckets: each once. */
function joinBuckets(added: readonly Added[], { hours }: Width): Added[] {
  const joined = new Map<string, Added>()
  for (const { rollup, bucket: hour, ...own } of added) {
    const bucket = Math.floor(hour / hours)
    const key = `${bucket} ${own.fingerprintNo}`
    const known = joined.get(key) ?? { ...own, bucket, rollup: createPainRollup() }
    joined.set(key, known)
    known.rollup.join(rollup.toRow())
  }
  return [...joined.values()]
}

/** How far failures are in. */
interface Reached {
  /** All of this decision and those before it. */
  decisionNo: number
  /** Of the next one those up to this number; null: none. */
  partNo: number | null
}

/** How far they are in is written with them, so each goes in once, whatever ends the process. */
export function createFailureRollUp(store: RetainedStore): FailureRollUp {
  const { write } = store
  const rows = prepareRows(store)

  function rollDecisions(): boolean {
    const reached = rows.reached()
    const { added, next } = readNext(rows, reached)
    if (next === reached) return false
    const changed = [HOURS, DAYS].flatMap((width) => joinBuckets(added, width).map((one) => rows.joined(one, width)))
    write(() => {
      for (const save of changed) save()
      rows.setReached(next)
    })
    return true
  }

  return { rollNext: () => mendNext(store, rows) || rollDecisions() }
}

/** The next failures, to so many that are read or rows that are to be written; a decision may be taken in parts. */
function readNext(rows: Rows, reached: Reached): { added: Added[]; next: Reached } {
  const added = new Map<string, Added>()
  let left = FAILURES_PER_STEP
  let next = reached
  for (const decision of rows.decisions(reached.decisionNo)) {
    if (left <= 0 || added.size >= ROWS_PER_STEP) break
    const from = Math.max(decision.first_failure_no, (next.partNo ?? 0) + 1)
    const found = rows.failures(decision.project_no, [from, decision.last_failure_no], { most: left })
    const taken = takeFailures(added, decision, found)
    const isWhole = taken === found.length && found.length < left
    next = isWhole
      ? { decisionNo: decision.decision_no, partNo: null }
      : { ...next, partNo: found[taken - 1]?.failureNo ?? next.partNo }
    left -= taken
    if (!isWhole) break
  }
  return { added: [...added.values()], next }
}

type FoundFailure = ReturnType<typeof toRolledFailure>

/** How many of them were added before there were enough rows to be written. */
function takeFailures(added: Map<string, Added>, decision: DecisionRow, found: readonly FoundFailure[]): number {
  const hour = Math.floor(decision.decided_ms / HOUR_MS)
  let taken = 0
  for (const { fingerprintNo, ...failure } of found) {
    if (added.size >= ROWS_PER_STEP) break
    const key = `${hour} ${fingerprintNo}`
    const known = added.get(key) ?? { projectNo: decision.project_no, fingerprintNo, bucket: hour, rollup: createPainRollup() }
    added.set(key, known)
    known.rollup.add(failure)
    taken += 1
  }
  return taken
}

/** An hour in which a failure was taken back is made anew from those that are left, and its day from its hours. */
function mendNext({ write }: RetainedStore, rows: Rows): boolean {
  const stale = rows.stale()
  if (!stale) return false
  const lastDecision = rows.lastDecision()
  const { projectNo, fingerprintNo, hour } = stale
  const rollup = createPainRollup()
  const range = rows.numbersOf(projectNo, hour, rows.reached())
  const left = range === null ? [] : rows.failures(projectNo, range, { fingerprintNo })
  for (const { fingerprintNo: _own, ...failure } of left) rollup.add(failure)
  const own = { projectNo, fingerprintNo }
  write(() => {
    // A decision that came since may have taken back another one: this hour is then made anew once more.
    if (rows.lastDecision() !== lastDecision) return
    rows.replace(own, { ...HOURS, bucket: hour }, left.length === 0 ? null : rollup.toRow())
    const day = Math.floor(hour / DAYS.hours)
    const hours = rows.ofHours(own, day)
    const whole = createPainRollup()
    for (const row of hours) whole.join(row)
    rows.replace(own, { ...DAYS, bucket: day }, hours.length === 0 ? null : whole.toRow())
    rows.mended(own, hour)
  })
  return true
}

type Rows = ReturnType<typeof prepareRows>

interface Owner {
  projectNo: number
  fingerprintNo: number
}

interface Width {
  minutes: number
  hours: number
}

const COLUMNS =
  'failures, ended, first_event_ms, last_event_ms, first_no, last_no, traces, sessions, users, releases, service_lists, samples'

const MARK = 'decisions'
const PART_MARK = 'decisions.part'

function prepareRows({ db, statement }: RetainedStore) {
  return { ...prepareSources({ db, statement }), ...prepareRollups(statement) }
}

function prepareSources({ db, statement }: Pick<RetainedStore, 'db' | 'statement'>) {
  const failures = statement(`
    select ${failureColumns('?')}
    from decided_failure f where f.failure_no between ? and ? and (? is null or f.fingerprint_no = ?)
    order by f.failure_no limit ?`)
  const getMark = db.prepare('select up_to from rolled_up where project_no = 0 and mark = ?').pluck()
  const putMark = statement('insert or replace into rolled_up values (0, ?, ?)')
  const removeMark = statement('delete from rolled_up where project_no = 0 and mark = ?')
  const last = db.prepare('select max(decision_no) from decision').pluck()
  return {
    lastDecision: () => last.get() as number | null,
    reached: (): Reached => ({
      decisionNo: (getMark.get(MARK) as number | undefined) ?? 0,
      partNo: (getMark.get(PART_MARK) as number | undefined) ?? null,
    }),
    setReached({ decisionNo, partNo }: Reached): void {
      putMark.run(MARK, decisionNo)
      if (partNo === null) removeMark.run(PART_MARK)
      else putMark.run(PART_MARK, partNo)
    },
    decisions: (after: number) =>
      statement(
        `select decision_no, project_no, decided_ms, first_failure_no, last_failure_no from decision where decision_no > ?
         order by decision_no limit ${DECISIONS_PER_LOOK}`,
      ).all(after) as DecisionRow[],
    failures: (
      projectNo: number,
      [first, last]: readonly [number, number],
      { fingerprintNo = null, most = -1 }: { fingerprintNo?: number | null; most?: number },
    ) => (failures.all(projectNo, first, last, fingerprintNo, fingerprintNo, most) as FailureRow[]).map(toRolledFailure),
    /** Failures of an hour that are in lie between these, those of other projects among them. */
    numbersOf(projectNo: number, hour: number, { decisionNo, partNo }: Reached): readonly [number, number] | null {
      const found = statement(
        `select min(first_failure_no) as first, max(min(last_failure_no, ?)) as last from decision
         where project_no = ? and decided_ms >= ? and decided_ms < ? and decision_no <= ?`,
      ).get(
        partNo ?? Number.MAX_SAFE_INTEGER,
        projectNo,
        hour * HOUR_MS,
        (hour + 1) * HOUR_MS,
        lastBegun(decisionNo, partNo),
      ) as {
        first: number | null
        last: number | null
      }
      return found.first === null || found.last === null ? null : [found.first, found.last]
    },
  }
}

/** The last decision that failures are in of. Numbers of decisions have no gaps but where retention took some. */
const lastBegun = (decisionNo: number, partNo: number | null) => (partNo === null ? decisionNo : decisionNo + 1)

function prepareRollups(statement: RetainedStore['statement']) {
  const key = 'project_no = ? and minutes = ? and bucket = ? and fingerprint_no = ?'
  const get = statement(`select ${COLUMNS} from pain_rollup where ${key}`)
  const put = statement(
    `insert or replace into pain_rollup (project_no, minutes, bucket, fingerprint_no, ${COLUMNS})
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const remove = statement(`delete from pain_rollup where ${key}`)
  const mended = statement('delete from stale_rollup where project_no = ? and fingerprint_no = ? and hour = ?')
  const countMended = statement(`insert into rolled_up values (?, 'mended', 1) on conflict do update set up_to = up_to + 1`)
  const save = ({ projectNo, fingerprintNo }: Owner, minutes: number, bucket: number, row: PainRollupRow) =>
    put.run(projectNo, minutes, bucket, fingerprintNo, ...valuesOf(row))
  return {
    joined({ bucket, rollup, ...own }: Added, { minutes }: Width): () => void {
      const whole = createPainRollup()
      const before = get.get(own.projectNo, minutes, bucket, own.fingerprintNo) as PainRollupRow | undefined
      if (before) whole.join(before)
      whole.join(rollup.toRow())
      const row = whole.toRow()
      return () => void save(own, minutes, bucket, row)
    },
    stale: () =>
      statement('select project_no as projectNo, fingerprint_no as fingerprintNo, hour from stale_rollup limit 1').get() as
        | (Owner & { hour: number })
        | undefined,
    /** Who remembers hours that are over sees by the number of mended ones that they may say something else. */
    mended({ projectNo, fingerprintNo }: Owner, hour: number): void {
      mended.run(projectNo, fingerprintNo, hour)
      countMended.run(projectNo)
    },
    ofHours: ({ projectNo, fingerprintNo }: Owner, day: number) =>
      statement(
        `select ${COLUMNS} from pain_rollup where project_no = ? and minutes = ? and bucket between ? and ? and fingerprint_no = ?`,
      ).all(projectNo, HOURS.minutes, day * DAYS.hours, day * DAYS.hours + DAYS.hours - 1, fingerprintNo) as PainRollupRow[],
    replace(own: Owner, { minutes, bucket }: Width & { bucket: number }, row: PainRollupRow | null) {
      if (row === null) remove.run(own.projectNo, minutes, bucket, own.fingerprintNo)
      else save(own, minutes, bucket, row)
    },
  }
}

function valuesOf(row: PainRollupRow): unknown[] {
  const { failures, ended, first_event_ms, last_event_ms, first_no, last_no } = row
  const { traces, sessions, users, releases, service_lists, samples } = row
  return [
    failures,
    ended,
    first_event_ms,
    last_event_ms,
    first_no,
    last_no,
    traces,
    sessions,
    users,
    releases,
    service_lists,
    samples,
  ]
}
