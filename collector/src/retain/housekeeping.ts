import type { SegmentDamage } from '@loopkit/shared/database/telemetry/segment-damage'
import type { Logger } from '@loopkit/shared/runtime/log'
import type { Pipeline } from '../admit/pipeline.ts'
import { refused } from '../receive/outcome.ts'
import type { RetainReport } from './messages.ts'

/** What the main thread knows of the housekeeping, and where it is told. */
export interface Housekeeping {
  note(report: RetainReport): void
  /** Why no spans are taken, or null. */
  reason(): string | null
  isDiskFull(): boolean
  isLogHeld(): boolean
  /** The same pipeline, which takes nothing while the disk is full. */
  guard(pipeline: Pipeline): Pipeline
}

const DISK_FULL = refused('storage_full', 'the disk is full; spans are taken again when there is space')

/** `onDamaged` is told of a segment each time it is seen. */
export function createHousekeeping(log: Logger, onDamaged: (damage: SegmentDamage) => void): Housekeeping {
  let isDiskFull = false
  let isLogHeld = false

  function note(report: RetainReport): void {
    if (report.kind === 'space') isDiskFull = report.isFull
    if (report.kind === 'log_held') isLogHeld = report.isHeld
    if (report.kind === 'damaged') onDamaged(report.damage)
    write(log, report)
  }

  return {
    note,
    reason: () => (isDiskFull ? 'storage_full: the disk is full' : null),
    isDiskFull: () => isDiskFull,
    isLogHeld: () => isLogHeld,
    guard: (pipeline) => ({
      ...pipeline,
      // Told here as well as by the commit: what the ballast freed is for deleting, not for more spans.
      accept(request) {
        if (!isDiskFull) return pipeline.accept(request)
        pipeline.noteRefused(request.caller, DISK_FULL.code)
        return Promise.resolve(DISK_FULL)
      },
    }),
  }
}

const CLOCK_JUMP = {
  seen: 'the clock has jumped ahead; nothing is removed for its age until it has stood for an hour',
  believed: 'the clock has stayed ahead for an hour: what is too old by it is removed now',
}

function write(log: Logger, report: RetainReport): void {
  switch (report.kind) {
    case 'retained': {
      const { removed, bytes, elapsedMs, longestStepMs } = report
      log.info(
        { code: 'retain.pass', removed, bytes, elapsed_ms: elapsedMs, longest_step_ms: longestStepMs },
        'removed what is kept no longer',
      )
      return
    }
    case 'merged': {
      const { segments, bytesBefore, bytesAfter, failure } = report
      if (failure !== null) log.error({ code: 'merge.unreadable', failure }, 'a segment cannot be read; it was left as it is')
      else log.debug({ code: 'merge.done', segments, bytes_before: bytesBefore, bytes_after: bytesAfter }, 'segments joined')
      return
    }
    // Told by who keeps the record of losses, once.
    case 'damaged':
      return
    case 'space':
      if (report.isFull) log.error({ code: 'disk.full', free_bytes: report.freeBytes }, 'the disk is full: no spans are taken')
      else log.info({ code: 'disk.recovered', free_bytes: report.freeBytes }, 'there is space again')
      return
    case 'clock_jump': {
      const line = { code: `clock.jump_${report.state}`, ahead_ms: Math.max(0, Math.round(report.aheadMs)) }
      if (report.state === 'undone') log.info(line, 'the clock is no longer ahead')
      else log.warn(line, CLOCK_JUMP[report.state])
      return
    }
    case 'log_held':
      if (report.isHeld)
        log.warn({ code: 'wal.held', wal_bytes: report.logBytes }, 'a reader of telemetry.db does not end, and its log grows')
      else log.info({ code: 'wal.released', wal_bytes: report.logBytes }, 'the log of telemetry.db is held back no more')
  }
}
