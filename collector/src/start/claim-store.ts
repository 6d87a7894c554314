import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import { type LossWatch, logDataLoss, watchDataLosses } from '@loopkit/shared/database/guard/loss-watch'
import { guardTelemetry } from '@loopkit/shared/database/telemetry/guard-telemetry'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Lifecycle } from '@loopkit/shared/runtime/lifecycle'
import type { Logger } from '@loopkit/shared/runtime/log'
import { claimFolder } from './claim-folder.ts'
import { openStore, type StoreState } from './open-store.ts'

export interface ClaimedStore {
  state: StoreState
  /** Spans that were acknowledged and are gone. */
  losses: LossWatch
}

interface ClaimDeps {
  settings: Settings
  clock: Clock
  log: Logger
}

/** Takes the data folder, looks at telemetry.db before anything writes it, and opens it. Throws where it must be left alone. */
export function claimStore({ settings, clock, log }: ClaimDeps, lifecycle: Lifecycle): ClaimedStore {
  const { dataDir } = settings
  lifecycle.defer('folder', claimFolder(settings, log))
  const path = join(dataDir, 'telemetry.db')
  const guarded = guardTelemetry(path, clock.nowMs())
  try {
    if (guarded.setAside !== null)
      log.warn({ code: 'wal.set_aside', file: guarded.setAside }, 'the write-ahead log was damaged; it is kept in this file')
    if (guarded.loss !== null) logDataLoss(log, guarded.loss)
    const state = openStore(path, guarded.mark)
    const losses = watchDataLosses(dataDir, 'telemetry.db', log)
    lifecycle.defer('losses', losses.close)
    return { state, losses }
  } finally {
    guarded.close()
  }
}
