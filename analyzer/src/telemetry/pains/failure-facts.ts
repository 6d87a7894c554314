import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { encodeRecordId } from '@loopkit/shared/span/record-id'
import { SESSION_ID } from '../counts/failure-scope.ts'
import { type EvidenceRow, type OrderedRow, ordered } from '../evidence/evidence-order.ts'
import { memoryOf } from '../read-memory.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'

/** What the row of a decided failure says. It never changes, and its number is never given again. */
export type FailureFacts = OrderedRow<EvidenceRow>

type FailureRow = [failureNo: bigint, traceId: Uint8Array, spanId: bigint, eventMs: bigint, sessionId: string]

const SPAN_ID_BYTES = 8
/** Two hundred of each of fifty pains. */
const FAILURES = memoryOf<FailureFacts>('failures', 8)
/** One of them in memory: ids in three forms, a session. */
const FACTS_BYTES = 700

/** The failures of these numbers that are still decided so. Those that were read before are recalled. */
export function readFailureFacts({ db, memory }: TelemetryConnection, numbers: readonly number[]): FailureFacts[] {
  const failures = memory.take(FAILURES)
  const known = new Map(numbers.map((no) => [no, failures.recall(String(no))]))
  const missing = numbers.filter((no) => known.get(no) === undefined)
  if (missing.length > 0) {
    for (const [no, facts] of readRows(db, missing)) {
      known.set(no, facts)
      failures.keep(String(no), facts, FACTS_BYTES)
    }
  }
  return numbers.flatMap((no) => known.get(no) ?? [])
}

function* readRows(db: SqliteDatabase, numbers: readonly number[]): Generator<[number, FailureFacts]> {
  const rows = db
    .prepare(
      `select failure_no, trace_id, span_id, event_ms, ${SESSION_ID} from decided_failure f
       where failure_no in (select value from json_each(?))`,
    )
    .raw()
    .safeIntegers()
    .iterate(JSON.stringify(numbers)) as Iterable<FailureRow>
  for (const [no, trace, spanNumber, eventMs, sessionId] of rows) {
    const spanId = new Uint8Array(SPAN_ID_BYTES)
    new DataView(spanId.buffer).setBigInt64(0, spanNumber)
    const traceId = new Uint8Array(trace)
    yield [
      Number(no),
      ordered({ traceId, spanId, recordId: encodeRecordId(traceId, spanId), sessionId, eventMs: Number(eventMs) }),
    ]
  }
}
