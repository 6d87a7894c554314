import type { HintKind } from '@loopkit/shared/signals/hints/hint-kind'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { callApi, sendOtlp, until } from '../harness/http.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { type RecordJson, readJson } from '../harness/reading.ts'
import type { Product, ProjectKeys } from '../harness/start-product.ts'
import { readJsonSet } from './read-set.ts'
import { figuresOf, type JudgedTrailCase, type TrailFigures } from './trail.ts'
import type { Said } from './trail-score.ts'
import { readTrailLabels, trailFiles } from './trail-traces.ts'

interface ErrorsOfSession {
  items: (Pick<RecordJson, 'span_id' | 'record_id'> & { signal_type: SignalType | null })[]
  hints?: { record_id: string; kind: HintKind }[]
}

const DECIDED_MS = 60_000

/** Sends every trace of the folder and waits until each is decided; by trace id, those of them that have labels. */
export async function sendTrail(product: Product, { producer_key, agent_key }: Keys, folder: string) {
  const sent = new Set<string>()
  for (const file of trailFiles(folder)) {
    const request = readJsonSet(file) as TraceRequestJson
    await sendOtlp(product.otlpUrl, producer_key, request)
    for (const traceId of traceIdsOf(request)) sent.add(traceId)
  }
  for (const traceId of sent) {
    const path = `/v1/traces/${traceId}/receipt`
    const decidedAt = async () =>
      (await readJson<{ decided_at: string | null }>(`${product.analyzerUrl}${path}`, agent_key)).decided_at
    await until(`trace ${traceId} to be decided`, decidedAt, DECIDED_MS, 100)
  }
  return new Map([...readTrailLabels(folder)].filter(([traceId]) => sent.has(traceId)))
}

const traceIdsOf = ({ resourceSpans }: TraceRequestJson) =>
  resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(({ traceId }) => traceId)))

type Keys = Pick<ProjectKeys, 'producer_key' | 'agent_key'>

/**
 * The figures as an agent would get them: every trace goes through OTLP/HTTP, is stored and decided, and what is said of it is read from
 * its session.
 */
export async function measureTrailThrough(product: Product, folder: string): Promise<TrailFigures> {
  const { producer_key, agent_key } = await product.provision('trail-measure')
  const labels = await sendTrail(product, { producer_key, agent_key }, folder)
  const cases: JudgedTrailCase[] = []
  for (const [traceId, { part = 'other', errors }] of labels) {
    const answer = await callApi(`${product.analyzerUrl}/v1/sessions/${traceId}?view=errors`, { key: agent_key })
    const { items, hints = [] } = answer.json<ErrorsOfSession>()
    const pains = items.flatMap(({ span_id, signal_type }): Said[] =>
      signal_type === null ? [] : [{ location: span_id, kind: signal_type }],
    )
    cases.push({ traceId, part, labels: errors, pains, said: [...pains, ...(await locate(hints))] })
  }
  return figuresOf(cases)

  /** A hint names its record; the record names its span. */
  async function locate(hints: { record_id: string; kind: HintKind }[]): Promise<Said[]> {
    const spanOf = new Map<string, string>()
    for (const { record_id } of hints) {
      if (spanOf.has(record_id)) continue
      const path = `/v1/telemetry?record_id=${record_id}`
      const { items } = await readJson<{ items: RecordJson[] }>(`${product.analyzerUrl}${path}`, agent_key)
      spanOf.set(record_id, items[0]!.span_id)
    }
    return hints.map(({ record_id, kind }) => ({ location: spanOf.get(record_id)!, kind }))
  }
}
