import type { SpanView } from '../span/record.ts'
import { type FormerScheme, fingerprint } from './fingerprint.ts'
import type { Detection, Fingerprint } from './model.ts'
import { templateOf } from './template.ts'

/**
 * What was worked out for texts that come again: failures repeat themselves, within a trace and from trace to trace. Only
 * answers of pure functions, so judging with one gives what judging without gives.
 */
export interface JudgeMemory {
  fingerprintOf(view: SpanView, detection: Detection): Fingerprint
  templateOf(text: string): string
}

/** Characters of texts remembered of each kind, some 4 MB; beyond it all are forgotten. */
const REMEMBERED_MAX_CHARS = 2_000_000

/** Of one project: its id is part of every fingerprint. */
export function createJudgeMemory(projectId: string, former?: FormerScheme): JudgeMemory {
  const fingerprints = createMemo<Fingerprint>()
  const templates = createMemo<string>()
  return {
    fingerprintOf(view, detection) {
      const { because: _because, ...what } = detection
      const same = JSON.stringify([view.service, view.kind, view.operation, what])
      return fingerprints(same, () => fingerprint(projectId, view, detection, former))
    },
    templateOf: (text) => templates(text, () => templateOf(text)),
  }
}

function createMemo<T>(): (text: string, work: () => T) => T {
  const known = new Map<string, T>()
  let chars = 0
  return (text, work) => {
    const found = known.get(text)
    if (found !== undefined) return found
    chars += text.length
    if (chars > REMEMBERED_MAX_CHARS) {
      known.clear()
      chars = text.length
    }
    const result = work()
    known.set(text, result)
    return result
  }
}
