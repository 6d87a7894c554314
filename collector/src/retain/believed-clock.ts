import type { Clock } from '@loopkit/shared/runtime/clock'

/** The time by which records grow old. */
export interface BelievedClock {
  /** Milliseconds since the epoch; to be asked again and again, since it compares with the time before. */
  nowMs(): number
}

/** So much more than has passed is a jump; time servers and changes of summer time stay below it. */
const JUMP_MIN_MS = 86_400_000
/** A jump is believed once it has stood for so long: enough for a time server to undo it, or for a person who reads the log. */
const BELIEVED_AFTER_MS = 3_600_000

/**
 * A clock that jumps years ahead must not remove everything at the next look. It is believed an hour later, so that the only
 * thing that a machine which slept for weeks does is to remove late. What a start finds is believed at once: nothing tells a
 * wrong clock from an instance that was off for as long. `onJump` is told of a jump when it is seen, and when it is believed
 * or undone.
 */
export function createBelievedClock(
  clock: Clock,
  onJump: (state: 'seen' | 'believed' | 'undone', aheadMs: number) => void,
): BelievedClock {
  let last = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
  let jumpedAtMs: number | null = null
  return {
    nowMs() {
      const wallMs = clock.nowMs()
      const monotonicMs = clock.monotonicMs()
      const passedMs = last.wallMs + (monotonicMs - last.monotonicMs)
      const aheadMs = wallMs - passedMs
      const isAhead = aheadMs > JUMP_MIN_MS
      if (isAhead && jumpedAtMs === null) {
        jumpedAtMs = monotonicMs
        onJump('seen', aheadMs)
      }
      if (isAhead && monotonicMs - jumpedAtMs! < BELIEVED_AFTER_MS) return passedMs
      if (jumpedAtMs !== null) onJump(isAhead ? 'believed' : 'undone', aheadMs)
      jumpedAtMs = null
      last = { wallMs, monotonicMs }
      return wallMs
    },
  }
}
