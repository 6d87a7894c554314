import type { Rejections } from './rejections.ts'

/** What was refused since it was last asked, added up by project and reason: never a line per span or request. */
export interface RejectionLog {
  /** Spans of an answered request that were refused one by one. */
  noteSpans(projectId: string, userAgent: string, rejections: Rejections): void
  /** A request refused as a whole; null where its sender is not known. */
  noteRequest(projectId: string | null, reason: string): void
  /** The most frequent first. */
  drain(): RejectionEntry[]
}

export interface RejectionEntry {
  what: 'spans' | 'requests'
  project_id: string | null
  reason: string
  count: number
  /** One example. */
  trace_id?: string
  /** Of the exporter that sent the last of them. */
  user_agent?: string
}

/** Projects and reasons told apart; what comes beyond them is counted as `other`. */
const ENTRIES_MAX = 20
const OTHER = 'other'
const USER_AGENT_MAX = 120

export function createRejectionLog(entriesMax = ENTRIES_MAX): RejectionLog {
  let entries = new Map<string, RejectionEntry>()

  function entryOf(what: RejectionEntry['what'], projectId: string | null, reason: string): RejectionEntry {
    const key = `${what} ${projectId} ${reason}`
    const known = entries.get(key)
    if (known) return known
    if (entries.size >= entriesMax && reason !== OTHER) return entryOf(what, null, OTHER)
    const entry: RejectionEntry = { what, project_id: projectId, reason, count: 0 }
    entries.set(key, entry)
    return entry
  }

  return {
    noteSpans(projectId, userAgent, rejections) {
      for (const [reason, { count, traceIds }] of rejections.byReason()) {
        const entry = entryOf('spans', projectId, reason)
        entry.count += count
        const example = entry.trace_id ?? traceIds[0]
        if (example !== undefined) entry.trace_id = example
        if (userAgent !== '') entry.user_agent = userAgent.slice(0, USER_AGENT_MAX)
      }
    },
    noteRequest(projectId, reason) {
      entryOf('requests', projectId, reason).count++
    },
    drain() {
      const drained = [...entries.values()].sort((a, b) => b.count - a.count)
      entries = new Map()
      return drained
    },
  }
}
