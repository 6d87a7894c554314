import type { PainStatus } from '../../domain/packet/model.ts'

/** A change that names pains, or a verdict about one, at its time. */
export type PainEvent = { atMs: number; painIds: readonly string[] } & ({ kind: 'change' } | { kind: 'verdict'; verdict: string })

const STATUS_OF_VERDICT: Readonly<Record<string, PainStatus>> = {
  held: 'verified',
  slipped: 'regression',
  worse: 'regression',
}

/**
 * The state of every pain that is not new: in progress once a change names it, verified once held, a regression once slipped or
 * worse. The latest event decides; at the same time a verdict goes before the change it judges. Refusals say nothing.
 */
export function painStatuses(events: readonly PainEvent[]): Record<string, PainStatus> {
  const statuses: Record<string, PainStatus> = {}
  const order = [...events].sort((a, b) => a.atMs - b.atMs || Number(a.kind === 'verdict') - Number(b.kind === 'verdict'))
  for (const event of order) {
    const status = event.kind === 'change' ? 'in_progress' : STATUS_OF_VERDICT[event.verdict]
    if (status !== undefined) for (const painId of event.painIds) statuses[painId] = status
  }
  return statuses
}
