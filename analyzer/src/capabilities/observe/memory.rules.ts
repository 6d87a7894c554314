/** What happened to a pain: somebody decided, a change named it, or traffic gave a verdict. */
export type PainEvent = { painId: string; atMs: number } & (
  | { kind: 'decision'; next: string; note: string | null }
  | { kind: 'change'; changeId: string }
  | { kind: 'verdict'; changeId: string; verdict: string; changePercent: number | null }
)

export interface Remembered<E extends PainEvent> {
  event: E
  sinceLastDecision: boolean
}

type VerdictEvent = Extract<PainEvent, { kind: 'verdict' }>
type PendingEvent = Exclude<PainEvent, VerdictEvent>

export interface Memory {
  fixed: Remembered<VerdictEvent>[]
  slipped: Remembered<VerdictEvent>[]
  inFlight: Remembered<PendingEvent>[]
}

/** Pains listed of each kind, the newest. */
const LISTED_MAX = 50
const FIXED: ReadonlySet<string> = new Set(['held'])
const SLIPPED: ReadonlySet<string> = new Set(['slipped', 'worse'])
/** At the same time a decision goes before a change, and a change before what traffic says of it. */
const ORDER = { decision: 0, change: 1, verdict: 2 } as const

/**
 * What an agent should know before it looks at anything new. The latest event decides for each pain: a verdict that it held or
 * slipped, a change that names it, a decision to patch it. A decision to observe or skip takes a pain out of flight, not out of
 * memory of its verdict; verdicts that say neither leave it in flight.
 */
export function rememberPains(events: readonly PainEvent[], lastDecidedMs: number | null): Memory {
  const latest = new Map<string, PainEvent>()
  for (const event of [...events].sort((a, b) => a.atMs - b.atMs || ORDER[a.kind] - ORDER[b.kind])) {
    const before = latest.get(event.painId)
    if (event.kind === 'verdict' && !FIXED.has(event.verdict) && !SLIPPED.has(event.verdict)) continue
    if (event.kind === 'decision' && event.next !== 'patch') {
      if (before && before.kind !== 'verdict') latest.delete(event.painId)
    } else latest.set(event.painId, event)
  }
  const newestFirst = [...latest.values()].sort((a, b) => b.atMs - a.atMs || (a.painId < b.painId ? -1 : 1))
  const remember = <E extends PainEvent>(event: E) => ({ event, sinceLastDecision: event.atMs > (lastDecidedMs ?? 0) })
  const verdicts = newestFirst.filter((event) => event.kind === 'verdict')
  return {
    fixed: verdicts
      .filter(({ verdict }) => FIXED.has(verdict))
      .slice(0, LISTED_MAX)
      .map(remember),
    slipped: verdicts
      .filter(({ verdict }) => SLIPPED.has(verdict))
      .slice(0, LISTED_MAX)
      .map(remember),
    inFlight: newestFirst
      .filter((event) => event.kind !== 'verdict')
      .slice(0, LISTED_MAX)
      .map(remember),
  }
}
