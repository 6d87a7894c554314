import type { Logger } from '../../runtime/log.ts'
import { type DatabaseName, type DataLoss, describeDataLoss, isSameLoss, readDataLosses, recordDataLoss } from './data-loss.ts'

/** What a running service knows of losses that nobody has acknowledged yet. */
export interface LossWatch {
  /** Why the service is not ready, or null. Reads the file again, since the command line writes it. */
  reason(): string | null
  /** Puts a loss that was found meanwhile on record. */
  note(loss: DataLoss): void
  /** Stops looking. */
  close(): void
}

/** How soon the log says that a loss was acknowledged, in ms. */
const LOOK_EVERY_MS = 1_000

export function watchDataLosses(dataDir: string, database: DatabaseName, log: Logger): LossWatch {
  let open = readDataLosses(dataDir, database).filter(isOpen)
  let looking: NodeJS.Timeout | undefined
  lookWhileOpen()

  function lookWhileOpen(): void {
    clearInterval(looking)
    looking = open.length > 0 ? setInterval(lookSafely, LOOK_EVERY_MS).unref() : undefined
  }

  function look(): void {
    if (open.length === 0) return
    const now = readDataLosses(dataDir, database)
    for (const loss of now) {
      if (isOpen(loss) || !open.some((before) => isSameLoss(before, loss))) continue
      const { from_commit, to_commit, acknowledged_at, acknowledged_by } = loss
      log.warn(
        { code: 'data_loss.acknowledged', database, from_commit, to_commit, acknowledged_at, acknowledged_by },
        'a person has taken note of the loss',
      )
    }
    open = now.filter(isOpen)
    if (open.length === 0) lookWhileOpen()
  }

  function lookSafely(): void {
    try {
      look()
    } catch (error) {
      log.error({ code: 'data_loss.unreadable', err: error }, 'the record of losses cannot be read')
    }
  }

  return {
    reason() {
      lookSafely()
      const [first] = open
      if (!first) return null
      const more = open.length > 1 ? `, and ${open.length - 1} losses more` : ''
      return `${describeDataLoss(first)}${more}; "loopkit doctor --acknowledge-loss" takes note of it`
    },
    note(loss) {
      if (recordDataLoss(dataDir, loss) === null) return
      logDataLoss(log, loss)
      open = [...open, loss]
      lookWhileOpen()
    },
    close: () => clearInterval(looking),
  }
}

/** Logs a loss that was just found. */
export function logDataLoss(log: Logger, loss: DataLoss): void {
  const { database, from_commit, to_commit, after_at, until_at } = loss
  log.error(
    { code: 'data_loss_detected', database, from_commit, to_commit, commits: to_commit - from_commit + 1, after_at, until_at },
    describeDataLoss(loss),
  )
}

function isOpen({ acknowledged_at }: DataLoss): boolean {
  return acknowledged_at === null
}
