import type { PainStatus, Suspect } from './packet/model.ts'
import type { Onset } from './pain-facts.ts'

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
 * The changes that shipped closest before a pain began to be what it is, to one of its services or to none in particular; nearest first, ties by what
 * was sent, then by id. Distance is all that speaks against them.
 */
export function suspectsOf(onset: Onset, services: readonly string[], changes: readonly ShippedChange[]): Suspect[] {
  return changes
    .filter(({ service }) => service === null || services.includes(service))
    .filter(({ shippedAtMs }) => shippedAtMs <= onset.atMs + onset.uncertainMs && onset.atMs - shippedAtMs <= SUSPECT_REACH_MS)
    .sort((a, b) => b.shippedAtMs - a.shippedAtMs || (tieOf(a) < tieOf(b) ? -1 : 1))
    .slice(0, SUSPECTS_MAX)
    .map((change) => toSuspect(change, onset))
}

/** What was sent goes before the id, which holds the project: the same telemetry has the same order in every project. */
function tieOf({ changeId, kind, service, version, ref }: ShippedChange): string {
  return JSON.stringify([service, kind, version, ref, changeId])
}

const BEGAN: Record<Onset['kind'], string> = {
  first_failure: 'the first failure',
  rise: 'the failures became more frequent',
  return: 'the failures came back',
}

function toSuspect({ changeId, kind, service, version, ref, shippedAtMs }: ShippedChange, onset: Onset): Suspect {
  // A rise shows at its first failures, which may come a little before what made it so.
  const distanceSeconds = Math.max(0, Math.round((onset.atMs - shippedAtMs) / 1000))
  const where = service === null ? 'for no service in particular' : 'to a service that this pain touches'
  return {
    change_id: changeId,
    kind,
    ref: ref ?? version,
    shipped_at: new Date(shippedAtMs).toISOString(),
    distance_seconds: distanceSeconds,
    why: `shipped ${distanceSeconds} s before ${BEGAN[onset.kind]}, ${where}`,
  }
}
