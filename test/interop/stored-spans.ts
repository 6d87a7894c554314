import { expect } from '@jest/globals'
import { expectedRecords } from '../acceptance/source-spans.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { type RecordJson, readAll } from '../harness/reading.ts'

/** The records of the given traces, as `GET /v1/sessions/{trace_id}` answers them. */
export async function readTraces(analyzerUrl: string, key: string, traceIds: Iterable<string>): Promise<RecordJson[]> {
  const records: RecordJson[] = []
  for (const traceId of traceIds) records.push(...(await readAll<RecordJson>(`${analyzerUrl}/v1/sessions/${traceId}`, key)))
  return records
}

/** Every planned span is stored once and shows exactly what was planned; nothing else is stored in its traces. */
export function expectStored(records: RecordJson[], plan: TraceRequestJson): void {
  const expected = expectedRecords(plan)
  expect(records.map(({ span_id }) => span_id).sort()).toEqual(expected.map(({ spanId }) => spanId).sort())
  const byId = new Map(records.map((record) => [record.span_id, record]))
  const planned = new Map(plan.resourceSpans[0]?.scopeSpans[0]?.spans.map((span) => [span.spanId, span]))
  for (const { spanId, record } of expected) {
    const shown = byId.get(spanId)
    // The flags are the SDK's own, and its own resource attributes come on top.
    const { flags: _, resource, ...own } = record as { flags: number; resource: { attributes: object } }
    expect(shown).toMatchObject(own)
    expect(shown?.resource.attributes).toMatchObject(resource.attributes)
    // toMatchObject lets more attributes pass: nothing may be added either.
    expect(shown?.attributes).toEqual(record.attributes)
    expect(shown?.events.map(({ time_unix_nano }) => time_unix_nano)).toEqual(
      (planned.get(spanId)?.events ?? []).map(({ timeUnixNano }) => timeUnixNano),
    )
  }
}

export const traceIdsOf = (plan: TraceRequestJson): Set<string> => new Set(expectedRecords(plan).map(({ traceId }) => traceId))
