import { ReadRefused } from '../../telemetry/read-pool.ts'
import type { ChangeStores } from './change-stores.ts'
import type { createPlanSchedule } from './plans.queries.ts'
import { nextLookAfter } from './settle.rules.ts'
import type { createJudge } from './verify.ts'

export interface SettleDeps {
  nowMs: () => number
  judge: ReturnType<typeof createJudge>
  schedule: ReturnType<typeof createPlanSchedule>
}

/** Plans looked at in one pass; each reads telemetry once. */
const PLANS_PER_PASS = 20
const DAY_MS = 24 * 3_600_000
/** Verdicts are kept as long as the counts they were made of (contract §2). */
const KEPT_DAYS = 180
/** Rows removed in one pass. */
const REMOVED_PER_PASS = 500

export interface Settling {
  /** One pass at a time: a call while another runs waits for that one. */
  pass(): Promise<void>
  /** Lets the look under way end and begins no other. */
  stop(): Promise<void>
}

/** Looks at every change that may have got its verdict, without anybody asking, and forgets verdicts that are too old. */
export function createSettle({ nowMs, judge, schedule }: SettleDeps, { changes, verdicts }: ChangeStores): Settling {
  let running: Promise<void> | null = null
  let isStopping = false

  async function settle(): Promise<void> {
    for (const { changeId, painId, plan, ...owner } of schedule.due(nowMs(), PLANS_PER_PASS)) {
      if (isStopping) return
      const change = changes.find(owner.projectNo, changeId)
      if (change) await judge(owner, { change, plan })
      if (isStopping) return
      const moment = change && { shippedAtMs: change.shippedAtMs, frozenAtMs: plan.frozenAtMs }
      schedule.setNextLook({ changeId, painId }, moment && nextLookAfter(nowMs(), moment))
    }
    const beforeMs = nowMs() - KEPT_DAYS * DAY_MS
    verdicts.removeBefore(beforeMs, REMOVED_PER_PASS)
    schedule.removeBefore(beforeMs, REMOVED_PER_PASS)
  }

  return {
    pass() {
      running ??= settle()
        // Telemetry is busy: the same plans are due in the next pass.
        .catch((error: unknown) => {
          if (!(error instanceof ReadRefused)) throw error
        })
        .finally(() => {
          running = null
        })
      return running
    },
    async stop() {
      isStopping = true
      await running?.catch(() => {})
    },
  }
}
