import type { Omission } from '../../domain/packet/model.ts'

/** Says that stored records are missing from what is shown, because the segments that hold them cannot be read. */
export function omittedSegments(damaged: number): Omission[] {
  return damaged > 0 ? [{ what: 'segments', count: damaged, reason: 'damaged' }] : []
}

/** Of what was asked for there are more than are looked through. */
export function omittedRecords(leftOut: number): Omission[] {
  return leftOut > 0 ? [{ what: 'records', count: leftOut, reason: 'session_too_large' }] : []
}
