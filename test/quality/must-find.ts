import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Measure } from './measure.ts'
import { readTrail, type TrailTrace } from './trail-traces.ts'

export interface FoundPain {
  key: string
  parentKey: string
  signal: SignalType
  text: string
  failures: number
  traces: number
}

/** Failures that a person sees at once in the traces, by what their text says; each must be one pain. */
export const MUST_FIND = [
  "PageDownTool.forward() got an unexpected keyword argument ''",
  "cannot access local variable 'res'",
  'rate_limit_error',
  'No results found for query',
]

/** Siblings of the first one: pains of their own with one parent. */
export const MUST_BE_SIBLINGS = 'PageDownTool.forward() got an unexpected keyword argument'

const TOP = 5

/** Whether each is one pain, and among the five largest by failures. */
export function measureMustFind(folder: string): Measure {
  const pains = painsIn(readTrail(folder))
  const found = MUST_FIND.map((text) => pains.filter((pain) => pain.text.includes(text)))
  const ranks = found.map(([pain]) => (pain ? pains.indexOf(pain) + 1 : 0))
  const parents = new Set(pains.filter(({ text }) => text.includes(MUST_BE_SIBLINGS)).map(({ parentKey }) => parentKey))
  return {
    name: 'must-find pains',
    published: '–',
    figures: [
      {
        name: 'are one pain, of 4',
        value: found.filter(({ length }) => length === 1).length,
        target: { atLeast: MUST_FIND.length },
      },
      { name: 'parents of the siblings', value: parents.size, target: { atMost: 1 } },
      {
        name: 'are among the top five by failures alone, of 4',
        value: ranks.filter((rank) => rank > 0 && rank <= TOP).length,
        target: { atLeast: MUST_FIND.length },
        floor: 3,
      },
    ],
    note: `ranks by failures alone ${ranks.map((rank) => rank || 'absent').join(', ')} of ${pains.length}; a packet also weighs reach, severity and cost, which is not asked here`,
  }
}

/** Largest first, ties by text. */
export function painsIn(traces: readonly TrailTrace[]): FoundPain[] {
  const pains = new Map<string, FoundPain>()
  for (const { spans } of traces) {
    const seen = new Set<FoundPain>()
    for (const { fingerprint, detection } of judgeTrace('measured', spans).failures) {
      const key = Buffer.from(fingerprint.key).toString('hex')
      const parentKey = Buffer.from(fingerprint.parentKey).toString('hex')
      const text = detection.message ?? ''
      const pain = pains.get(key) ?? { key, parentKey, signal: detection.signal, text, failures: 0, traces: 0 }
      pains.set(key, pain)
      pain.failures++
      seen.add(pain)
    }
    for (const pain of seen) pain.traces++
  }
  return [...pains.values()].sort((a, b) => b.failures - a.failures || (a.text < b.text ? -1 : 1))
}
