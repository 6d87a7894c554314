import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { openTelemetryReader } from '@loopkit/shared/database/telemetry/open-telemetry'
import { createGarbageCollector } from '@loopkit/shared/runtime/garbage'
import type { LookupJob, LookupResult, LookupWorkerData } from './lookup-messages.ts'
import { createStoredSpans, type StoredSpans } from './stored-spans.ts'

const { path } = workerData as LookupWorkerData
const garbage = createGarbageCollector()
let storedSpans: StoredSpans | null = null

parentPort!.on('message', ({ id, projectNo, refs }: LookupJob) => {
  parentPort!.postMessage(run(id, projectNo, refs))
  garbage.afterWork()
})
flushCompileCache()

function run(id: number, projectNo: number, refs: Uint8Array): LookupResult {
  try {
    storedSpans ??= open()
    return { id, stored: storedSpans(projectNo, refs) }
  } catch (error) {
    return { id, failed: `${(error as { code?: string }).code ?? (error as Error).name}: ${(error as Error).message}` }
  }
}

function open(): StoredSpans {
  const reader = openTelemetryReader(path)
  if (!reader) throw new Error('telemetry.db is not there')
  return createStoredSpans(reader.db, reader.hasher)
}
