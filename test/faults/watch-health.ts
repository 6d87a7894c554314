import { callApi } from '../harness/http.ts'

export interface HealthSeen {
  asked: number
  failed: number
  p99Ms: number
  maxMs: number
}

const EVERY_MS = 25

/** Asks `/health` again and again until the answer is called. */
export function watchHealth(otlpUrl: string): () => Promise<HealthSeen> {
  const seen: HealthSeen = { asked: 0, failed: 0, p99Ms: 0, maxMs: 0 }
  const answeredMs: number[] = []
  let over = false
  const watch = async () => {
    while (!over) {
      const askedMs = performance.now()
      const answer = await callApi(`${otlpUrl}/health`).catch(() => null)
      seen.asked++
      if (answer?.status !== 200) seen.failed++
      answeredMs.push(Math.round(performance.now() - askedMs))
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
    answeredMs.sort((a, b) => a - b)
    seen.p99Ms = answeredMs[Math.floor(answeredMs.length * 0.99)] ?? 0
    seen.maxMs = answeredMs.at(-1) ?? 0
    return seen
  }
  const watching = watch()
  return () => {
    over = true
    return watching
  }
}
