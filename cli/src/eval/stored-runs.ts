import type { ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { type RunRecord, runOfRecords } from '@loopkit/shared/eval-candidate/run-of-records'
import { NO_TRACE_ID } from '@loopkit/shared/span/lone-trace-id'
import { CallError, type ClientOptions, call } from '../client.ts'

/** Pages of 1,000 records that are read of one trace. */
const PAGES_MAX = 20

type StoredRecord = RunRecord & { trace_id: string }

interface Page {
  items: StoredRecord[]
  next_cursor: string | null
}

/** Reads the run around a stored record; null where the record has expired or is not known. Each trace is read once. */
export type ReadStoredRun = (recordId: string) => Promise<ObservedRun | null>

export function createStoredRuns(options: ClientOptions): ReadStoredRun {
  const traces = new Map<string, Promise<StoredRecord[]>>()
  return async (recordId) => {
    const found = await call<Page>(options, 'GET', `/v1/telemetry?record_id=${encodeURIComponent(recordId)}`)
    const [record] = found.items
    if (record === undefined) return null
    if (record.trace_id === NO_TRACE_ID) return runOfRecords([record])
    const known = traces.get(record.trace_id) ?? readTrace(options, record.trace_id)
    traces.set(record.trace_id, known)
    return runOfRecords(await known, recordId)
  }
}

async function readTrace(options: ClientOptions, traceId: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const after: string = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`
    const page: Page | null = await readPage(options, `/v1/sessions/${encodeURIComponent(traceId)}${after}`)
    if (page === null) return records
    records.push(...page.items.filter((record) => record.trace_id === traceId))
    cursor = page.next_cursor
    if (cursor === null) return records
  }
  return records
}

async function readPage(options: ClientOptions, path: string): Promise<Page | null> {
  try {
    return await call<Page>(options, 'GET', path)
  } catch (error) {
    if (error instanceof CallError && error.status === 404) return null
    throw error
  }
}
