import { ReadRefused } from '../../telemetry/read-pool.ts'
import type { ChangeStores } from './change-stores.ts'
import type { createPlanSchedule } from './plans.queries.ts'
import { nextLookAfter } from './settle.rules.ts'
import type { createJudge } from './verify.ts'

export interface SettleDeps {
  nowMs: () => number
  judge: ReturnType<typeof createJudge>
  schedule: ReturnType<typeof createPlanSchedule>
  /** What else is kept no longer than verdicts are. */
  forgetPains(beforeMs: number, most: number): void
}

/** Plans looked at in one pass; each reads telemetry once, some 0.2 s per 10 M spans. */
const PLANS_PER_PASS = 20
/** No other look begins after so long: questions that somebody waits for share the readers. */
const PASS_MAX_MS = 2_000
const DAY_MS = 24 * 3_600_000
/** Verdicts are kept as long as the counts they were made of (contract §2). */
const KEPT_DAYS = 180
/** Rows of each kind removed at once, and how often. */
const REMOVED_PER_PASS = 500
const FORGET_EVERY_MS = 10 * 60_000

export interface Settling {
  /** One pass at a time: a call while another runs waits for that one. */
  pass(): Promise<void>
  /** Lets the look under way end and begins no other. */
  stop(): Promise<void>
}

/** Looks at every change that may have got its verdict, without anybody asking, and forgets verdicts that are too old. */
export function createSettle({ nowMs, judge, schedule, forgetPains }: SettleDeps, { changes, verdicts }: ChangeStores): Settling {
  let running: Promise<void> | null = null
  let isStopping = false
  let forgottenMs = Number.NEGATIVE_INFINITY

  async function settle(): Promise<void> {
    const endMs = nowMs() + PASS_MAX_MS
    for (const { changeId, painId, plan, ...owner } of schedule.due(nowMs(), PLANS_PER_PASS)) {
      if (isStopping || nowMs() >= endMs) return
      const change = changes.find(owner.projectNo, changeId)
      const moment = change && { shippedAtMs: change.shippedAtMs, frozenAtMs: plan.frozenAtMs }
      // First, so that one which cannot be judged does not keep the others waiting.
      schedule.setNextLook({ changeId, painId }, moment && nextLookAfter(nowMs(), moment))
      if (change) await judge(owner, { change, plan })
    }
    if (isStopping || nowMs() < forgottenMs + FORGET_EVERY_MS) return
    forgottenMs = nowMs()
    const beforeMs = nowMs() - KEPT_DAYS * DAY_MS
    verdicts.removeBefore(beforeMs, REMOVED_PER_PASS)
    schedule.removeBefore(beforeMs, REMOVED_PER_PASS)
    forgetPains(beforeMs, REMOVED_PER_PASS)
  }

  return {
    pass() {
      running ??= settle()
        // Telemetry is busy: what is left is due in the next pass.
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
