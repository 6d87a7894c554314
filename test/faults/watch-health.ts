import { callApi } from '../harness/http.ts'

export interface HealthSeen {
  asked: number
  failed: number
  maxMs: number
}

const EVERY_MS = 25

/** Asks `/health` again and again until the answer is called. */
export function watchHealth(otlpUrl: string): () => Promise<HealthSeen> {
  const seen: HealthSeen = { asked: 0, failed: 0, maxMs: 0 }
  let over = false
  const watch = async () => {
    while (!over) {
      const askedMs = performance.now()
      const answer = await callApi(`${otlpUrl}/health`).catch(() => null)
      seen.asked++
      if (answer?.status !== 200) seen.failed++
      seen.maxMs = Math.max(seen.maxMs, Math.round(performance.now() - askedMs))
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
    return seen
  }
  const watching = watch()
  return () => {
    over = true
    return watching
  }
}
