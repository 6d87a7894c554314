import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { readModels } from '@loopkit/config/read-models'
import type { Settings } from '@loopkit/config/settings-schema'
import { pickSoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import type { DecideMessage, DecideReport, DecideWorkerData } from './messages.ts'

/** What the thread is told of the settings; secrets stay behind. */
export function decideWorkerData(
  settings: Settings,
  signalsOff: readonly string[],
  writeTurn: SharedArrayBuffer,
  decisions: DecideWorkerData['decisions'],
): DecideWorkerData {
  const { dataDir, quietMs, decideAfterMs, retentionDays, retentionMaxBytes, retentionEveryMs, ballastMaxBytes } = settings
  return {
    telemetryPath: join(dataDir, 'telemetry.db'),
    controlPath: join(dataDir, 'control.db'),
    quietMs,
    decideAfterMs,
    signalsOff,
    thresholds: pickSoftThresholds(settings),
    modelPrices: readModels(settings.modelsFile),
    writeTurn,
    decisions,
    retain: { dataDir, retentionDays, retentionMaxBytes, retentionEveryMs, ballastMaxBytes },
  }
}

export interface DeciderClient {
  /** A commit failed for want of space: the thread makes room at once. */
  noteDiskFull(): void
  close(): Promise<void>
}

/** Judging makes much garbage of short life: with the default of 48 MB it held 140 MB more, and took as long. */
const YOUNG_MAX_MB = 12

/** Resolves when the thread has opened the file; rejects where it cannot. */
export async function startDecider(
  data: DecideWorkerData,
  onReport: (report: DecideReport) => void,
  onFailure: (error: Error) => void,
): Promise<DeciderClient> {
  const worker = new Worker(new URL('./decide-worker.ts', import.meta.url), {
    workerData: data,
    transferList: [data.decisions.port],
    name: 'decide',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MAX_MB },
  })
  await once(worker, 'message')
  worker.on('message', onReport)
  worker.on('error', onFailure)
  const post = (message: DecideMessage) => worker.postMessage(message)
  return {
    noteDiskFull: () => post('disk_full'),
    close: () =>
      new Promise((resolve) => {
        worker.once('exit', () => resolve())
        post('close')
      }),
  }
}
