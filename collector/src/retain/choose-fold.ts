import { RUN_MEMBERS_MAX } from '@loopkit/shared/database/telemetry/trace-page'

/** Runs joined at once, of about the same size: so an entry is written again a few times, not with each new run. */
const JOINED_MIN = 16
/** From here on a run stays as it is. */
const FULL_MEMBERS = RUN_MEMBERS_MAX / 2

/** Which neighbours, by the numbers of their members, oldest first, are to become one run: from and up to; null for none. */
export function chooseFold(members: readonly number[]): { from: number; to: number } | null {
  for (let from = 0; from < members.length; from++) {
    const tier = tierOf(members[from]!)
    if (tier === FULL) continue
    let to = from
    let sum = 0
    while (to < members.length && tierOf(members[to]!) === tier && sum + members[to]! <= RUN_MEMBERS_MAX) sum += members[to++]!
    if (to - from >= JOINED_MIN || (to - from > 1 && sum >= FULL_MEMBERS)) return { from, to }
    from = to - 1
  }
  return null
}

const FULL = 2

function tierOf(members: number): number {
  if (members >= FULL_MEMBERS) return FULL
  return members >= JOINED_MIN ? 1 : 0
}
