import type { Rejections } from './rejections.ts'

/** Refused spans since the last summary, aggregated: never a line per span. */
export interface RejectionLog {
  note(projectId: string, userAgent: string, rejections: Rejections): void
  drain(): RejectionEntry[]
}

export interface RejectionEntry {
  project_id: string
  reason: string
  count: number
  /** Up to three. */
  trace_ids: string[]
  /** Of the exporter that sent the last of them. */
  user_agent: string
}

const TRACE_IDS_MAX = 3
const ENTRIES_MAX = 100
const USER_AGENT_MAX = 120

export function createRejectionLog(): RejectionLog {
  let entries = new Map<string, RejectionEntry>()
  return {
    note(projectId, userAgent, rejections) {
      for (const [reason, { count, traceIds }] of rejections.byReason()) {
        const key = `${projectId} ${reason}`
        let entry = entries.get(key)
        if (!entry) {
          if (entries.size >= ENTRIES_MAX) return
          entry = { project_id: projectId, reason, count: 0, trace_ids: [], user_agent: '' }
          entries.set(key, entry)
        }
        entry.count += count
        entry.user_agent = userAgent.slice(0, USER_AGENT_MAX)
        for (const id of traceIds)
          if (entry.trace_ids.length < TRACE_IDS_MAX && !entry.trace_ids.includes(id)) entry.trace_ids.push(id)
      }
    },
    drain() {
      const drained = [...entries.values()]
      entries = new Map()
      return drained
    },
  }
}
