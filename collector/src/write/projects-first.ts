interface WaitingBody {
  projectNo: number
  body: Uint8Array
}

/** A project that has no more than this waiting is committed in a moment. */
const LITTLE_BYTES = 64 * 1024

/**
 * The projects whose few bodies are committed before the many of another one; null where there is nothing to choose. The next group
 * after such a one is to take everything, so that nobody is passed over twice.
 */
export function projectsFirst(waiting: readonly WaitingBody[]): ReadonlySet<number> | null {
  const bytes = new Map<number, number>()
  for (const { projectNo, body } of waiting) bytes.set(projectNo, (bytes.get(projectNo) ?? 0) + body.length)
  if (bytes.size < 2) return null
  const first = new Set<number>()
  for (const [projectNo, total] of bytes) if (total <= LITTLE_BYTES) first.add(projectNo)
  return first.size > 0 && first.size < bytes.size ? first : null
}
