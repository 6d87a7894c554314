import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import { guardControl } from '@loopkit/shared/database/control/guard-control'
import { checkDisk } from '@loopkit/shared/database/guard/disk-kind'
import { shareFolder } from '@loopkit/shared/database/guard/folder-lock'
import { logDataLoss, watchDataLosses } from '@loopkit/shared/database/guard/loss-watch'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { createFolder } from '@loopkit/shared/runtime/data-folder'
import type { Lifecycle } from '@loopkit/shared/runtime/lifecycle'
import type { Logger } from '@loopkit/shared/runtime/log'
import { type Control, openControl } from '../control/control-database.ts'

export interface ClaimedControl {
  control: Control
  /** Changes that were answered are gone and nobody has taken note of it, or null. */
  lossReason(): string | null
}

interface ClaimDeps {
  settings: Settings
  clock: Clock
  log: Logger
}

/** Looks at control.db before anything writes it, takes a share of the data folder, and opens it. Throws where it must be left alone. */
export function claimControl({ settings, clock, log }: ClaimDeps, lifecycle: Lifecycle): ClaimedControl {
  const { dataDir, allowNetworkDisk } = settings
  createFolder(dataDir)
  checkDisk(dataDir, allowNetworkDisk)
  const path = join(dataDir, 'control.db')
  const guarded = guardControl(path, clock.nowMs())
  try {
    lifecycle.defer('folder', shareFolder(dataDir, 'analyzer'))
    if (guarded.setAside !== null)
      log.warn({ code: 'wal.set_aside', file: guarded.setAside }, 'the write-ahead log was damaged; it is kept in this file')
    if (guarded.loss !== null) logDataLoss(log, guarded.loss)
    const lostChanges = guarded.loss === null ? 0 : guarded.loss.to_commit - guarded.loss.from_commit + 1
    const control = openControl(path, lostChanges)
    lifecycle.defer('control.db', control.close)
    const losses = watchDataLosses(dataDir, 'control.db', log)
    lifecycle.defer('losses', losses.close)
    return { control, lossReason: losses.reason }
  } finally {
    guarded.close()
  }
}
