import type { Omission } from '../domain/packet/model.ts'

/** Says that stored records are missing from what is shown, because the segments that hold them cannot be read. */
export function omittedSegments(damaged: number): Omission[] {
  return damaged > 0 ? [{ what: 'segments', count: damaged, reason: 'damaged' }] : []
}
