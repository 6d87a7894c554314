/** Spans ever accepted per project: what is committed and what is on its way. Exact, since one thread asks. */
export interface Quota {
  /** Takes one span's place, or answers false where the project has none left. `cap` null: no limit. */
  reserve(projectNo: number, cap: number | null): boolean
  /** The reserved spans are committed. */
  confirm(projectNo: number, spans: number): void
  /** The reserved spans were not committed; their places are free again. */
  release(projectNo: number, spans: number): void
}

/** `accepted` is what the database says at start. */
export function createQuota(accepted: ReadonlyMap<number, number>): Quota {
  const used = new Map([...accepted].map(([projectNo, spans]) => [projectNo, { committed: spans, reserved: 0 }]))
  const of = (projectNo: number) => {
    let entry = used.get(projectNo)
    if (!entry) {
      entry = { committed: 0, reserved: 0 }
      used.set(projectNo, entry)
    }
    return entry
  }
  return {
    reserve(projectNo, cap) {
      const entry = of(projectNo)
      if (cap !== null && entry.committed + entry.reserved >= cap) return false
      entry.reserved++
      return true
    },
    confirm(projectNo, spans) {
      const entry = of(projectNo)
      entry.reserved -= spans
      entry.committed += spans
    },
    release(projectNo, spans) {
      of(projectNo).reserved -= spans
    },
  }
}
