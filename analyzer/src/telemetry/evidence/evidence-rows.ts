import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { type FailureScope, type FailureSelection, SERVICES, SESSION_ID, selectFailures } from '../counts/failure-scope.ts'
import { numbersNamed, type PainParts, samplesOfParts, usersOfParts } from '../counts/rolled-failures.ts'
import { readFailureFacts } from '../pains/failure-facts.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { type EvidenceRow, preferred } from './evidence-order.ts'

/**
 * Failures of one pain in the window: one of each trace before a second of any, the latest first, then the first, then by the last
 * bytes of the trace id, which are random whoever made it: that favours nothing, and is the same in every store and order of arrival.
 */
export function readEvidenceRows(
  connection: TelemetryConnection,
  scope: FailureScope,
  selection: FailureSelection,
  rowsMax: number,
): EvidenceRow[] {
  return preferred(readFailureFacts(connection, numbersOf(connection.db, scope, { selection, rowsMax })), rowsMax)
}

/** Numbers of all its failures, or of those that stand for them. */
function numbersOf(
  db: SqliteDatabase,
  scope: FailureScope,
  { selection, rowsMax }: { selection: FailureSelection; rowsMax: number },
): number[] {
  const sampled = rolledParts(selection)
  if (sampled) return samplesOfParts(sampled, rowsMax)
  const { sql, parameters } = selectFailures(scope, selection)
  return db.prepare(`select f.failure_no from decided_failure f where ${sql}`).pluck().all(parameters) as number[]
}

/** Failures up to which they are read one by one; of more, rollups know which stand for all. */
const SINGLE_MAX = 200

function rolledParts({ parts }: FailureSelection): readonly PainParts[] | null {
  if (!parts) return null
  const failures = parts.reduce((sum, { rows, single }) => sum + single.length + rows.reduce((n, row) => n + row.failures, 0), 0)
  return failures > SINGLE_MAX ? parts : null
}

/** Distinct values read of one kind. */
const VALUES_MAX = 10_000

export interface Named {
  services: string[]
  releases: string[]
  /** Distinct ones, those of undecided failures among them. */
  users: number
}

/** What the failures of a pain name in the window: services passed through, releases, users. */
export function readNamed(
  db: SqliteDatabase,
  scope: FailureScope,
  selection: FailureSelection,
  openUsers: readonly string[],
): Named {
  const rolled = rolledParts(selection)
  if (rolled) return readRolledNames(db, rolled, openUsers)
  const { sql, parameters } = selectFailures(scope, selection)
  const column = (wanted: string) =>
    db
      .prepare(wanted)
      .pluck()
      .all({ ...parameters, valuesMax: VALUES_MAX }) as string[]
  const users = column(
    `select distinct user from decided_failure f
       cross join session_trace t indexed by session_trace_by_trace on t.project_no = @projectNo and t.trace_hash = f.trace_hash
       cross join session s on s.session_no = t.session_no and s.session_id = ${SESSION_ID}
     where ${sql} and user is not null limit @valuesMax`,
  )
  const met = new Set([...users, ...openUsers]).size
  const { parts } = selection
  if (parts && areListsNumbered(db, scope.projectNo)) return { ...wordsOf(db, numbersNamed(parts)), users: met }
  return {
    services: column(`select distinct ${SERVICES} from decided_failure f where ${sql} limit @valuesMax`).flatMap(toNames),
    releases: column(
      `select distinct release from decided_failure f join release using (release_no) where ${sql} limit @valuesMax`,
    ),
    users: met,
  }
}

/** Lists of services beyond so many of a project stand with their failures only; parts know those that have a number. */
const LISTS_NUMBERED = 20_000

function areListsNumbered(db: SqliteDatabase, projectNo: number): boolean {
  const beyond = db.prepare(`select 1 from service_list where project_no = ? limit 1 offset ${LISTS_NUMBERED - 1}`)
  return beyond.get(projectNo) === undefined
}

function readRolledNames(db: SqliteDatabase, parts: readonly PainParts[], openUsers: readonly string[]): Named {
  return { ...wordsOf(db, numbersNamed(parts)), users: usersOfParts(db, parts, openUsers) }
}

function wordsOf(
  db: SqliteDatabase,
  { releases, serviceLists }: { releases: number[]; serviceLists: number[] },
): Pick<Named, 'services' | 'releases'> {
  const words = (sql: string, numbers: readonly number[]) => db.prepare(sql).pluck().all(JSON.stringify(numbers)) as string[]
  const lists = words('select services from service_list where service_list_no in (select value from json_each(?))', serviceLists)
  return {
    services: lists.flatMap(toNames),
    releases: words('select distinct release from release where release_no in (select value from json_each(?))', releases),
  }
}

function toNames(json: string): string[] {
  const names: unknown = JSON.parse(json)
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}
