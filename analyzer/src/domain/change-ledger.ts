import type { PainStatus, Suspect } from './packet/model.ts'

/** A change as diagnosis needs it. */
export interface ShippedChange {
  changeId: string
  kind: string
  service: string | null
  version: string | null
  ref: string | null
  shippedAtMs: number
}

/** What the control database knows of this project's changes and pains; read before the diagnosis, so it decides nothing late. */
export interface ChangeLedger {
  changes: readonly ShippedChange[]
  /** Pains that are not new: pain id → status. */
  statusOf: Readonly<Record<string, PainStatus>>
}

/** How long before its first failure a change may have shipped and still be suspected. */
const SUSPECT_REACH_MS = 7 * 24 * 3600 * 1000
/** Most suspects that are named. */
const SUSPECTS_MAX = 5

/**
 * The changes that shipped closest before a pain began, to one of its services or to none in particular; nearest first, ties by
 * id. Distance is all that speaks against them.
 */
export function suspectsOf(onsetMs: number, services: readonly string[], changes: readonly ShippedChange[]): Suspect[] {
  return changes
    .filter(({ service }) => service === null || services.includes(service))
    .filter(({ shippedAtMs }) => shippedAtMs <= onsetMs && onsetMs - shippedAtMs <= SUSPECT_REACH_MS)
    .sort((a, b) => b.shippedAtMs - a.shippedAtMs || (a.changeId < b.changeId ? -1 : 1))
    .slice(0, SUSPECTS_MAX)
    .map((change) => toSuspect(change, onsetMs))
}

function toSuspect({ changeId, kind, service, version, ref, shippedAtMs }: ShippedChange, onsetMs: number): Suspect {
  const distanceSeconds = Math.round((onsetMs - shippedAtMs) / 1000)
  const where = service === null ? 'for no service in particular' : 'to a service that this pain touches'
  return {
    change_id: changeId,
    kind,
    ref: ref ?? version,
    shipped_at: new Date(shippedAtMs).toISOString(),
    distance_seconds: distanceSeconds,
    why: `shipped ${distanceSeconds} s before the first failure, ${where}`,
  }
}
