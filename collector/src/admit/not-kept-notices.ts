import type { Signal } from '../receive/outcome.ts'
import type { NotKeptNotices } from './pipeline.ts'

/** Exporters print every message of a partial success, so it is said this seldom, in ms. */
const NOTICE_EVERY_MS = 3_600_000
const REMEMBERED_MAX = 10_000

const NOTICES: { readonly [signal in Signal]?: string } = {
  logs: 'logs are accepted; those without an exception or an error severity are not kept',
  metrics: 'metrics are accepted and not kept',
}

export function createNotKeptNotices(monotonicMs: () => number): NotKeptNotices {
  const saidAtMs = new Map<string, number>()
  return {
    take(projectNo, signal: Signal) {
      const key = `${projectNo}:${signal}`
      const now = monotonicMs()
      if (now - (saidAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < NOTICE_EVERY_MS) return ''
      if (saidAtMs.size >= REMEMBERED_MAX) saidAtMs.clear()
      saidAtMs.set(key, now)
      return NOTICES[signal] ?? ''
    },
  }
}
