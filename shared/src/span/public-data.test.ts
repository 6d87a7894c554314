import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { createAttributeFilter, decodeTraces } from '../otlp/decode-traces.ts'
import type { SpanInContext } from '../otlp/model.ts'
import { transcodeTracesJson } from '../otlp/transcode-json.ts'
import { normalizeSpan } from './normalize-span.ts'
import { viewSpan } from './view-span.ts'
import { WANTED_KEYS, WANTED_PREFIXES } from './wanted-keys.ts'

const DATA = join(process.cwd(), '../shared/data')
const JSON_LIMITS = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const HOW = {
  receivedAtMs: Date.UTC(2026, 5, 19),
  sessionId: 's',
  signalType: null,
  limits: { attributesShownMax: 256, attributeShownMaxBytes: 32_768 },
}

const bodyOf = (json: Uint8Array) => transcodeTracesJson(json, JSON_LIMITS).body

function demoBodies(): Uint8Array[] {
  const lines = gunzipSync(readFileSync(join(DATA, 'otlp/otel-demo-capture.json.gz')))
    .toString()
    .split('\n')
  return lines.filter((line) => line.includes('"resourceSpans"')).map((line) => bodyOf(Buffer.from(line)))
}

function trailBodies(): Uint8Array[] {
  const files = readdirSync(join(DATA, 'trail')).filter((file) => file.endsWith('.otlp.json.gz'))
  return files.map((file) => bodyOf(gunzipSync(readFileSync(join(DATA, 'trail', file)))))
}

const spansOf = (bodies: Uint8Array[]): SpanInContext[] => bodies.flatMap((body) => [...decodeTraces(body)])

const isPresent = existsSync(join(DATA, 'otlp')) && existsSync(join(DATA, 'trail'))
if (!isPresent) process.stderr.write(`skipped: views of public data, ${DATA} is absent\n`)

;(isPresent ? describe : describe.skip)('views of public data', () => {
  test('the shop of the OpenTelemetry demo has few operations, and none holds an id', () => {
    const spans = spansOf(demoBodies())
    expect(spans.length).toBe(547)
    const operations = new Set(spans.map((ctx) => viewSpan(ctx)).map((view) => `${view.service} ${view.operation}`))
    expect(operations.size).toBeLessThan(60)
    expect([...operations].filter((operation) => /\d{4,}|[0-9A-Z]{10}|\?/.test(operation))).toEqual([])
  })

  test('every answered model call of the agents names its model, every tool call its tool, and totals count once', () => {
    const views = spansOf(trailBodies()).map((ctx) => ({
      kindSent: ctx.span.attributes.get('openinference.span.kind'),
      failed: ctx.span.status.code === 2,
      view: viewSpan(ctx),
    }))
    const ofKind = (kind: string) => views.filter(({ kindSent }) => kindSent === kind).map(({ view }) => view)
    expect(ofKind('LLM').length).toBeGreaterThan(1_000)
    expect(ofKind('LLM').filter((view) => view.kind !== 'chat' || view.operation !== 'chat')).toEqual([])
    expect(views.filter(({ kindSent, failed, view }) => kindSent === 'LLM' && !failed && view.model === null)).toEqual([])
    expect(ofKind('TOOL').filter((view) => view.kind !== 'tool' || view.tool === null)).toEqual([])
    expect(ofKind('AGENT').filter((view) => view.agent === null || view.tokens.input !== null)).toEqual([])
    expect(ofKind('CHAIN').filter((view) => view.tokens.input !== null)).toEqual([])
  })

  test('views are the same from wanted attributes alone, and records are JSON within their limits', () => {
    const filter = createAttributeFilter(WANTED_KEYS, WANTED_PREFIXES)
    for (const body of [
      ...demoBodies(),
      ...trailBodies().slice(0, 20),
      new Uint8Array(readFileSync(join(DATA, 'otlp/trace.pb'))),
    ]) {
      const wanted = [...decodeTraces(body, filter)]
      for (const [i, ctx] of [...decodeTraces(body)].entries()) {
        expect(viewSpan(wanted[i]!)).toEqual(viewSpan(ctx))
        const record = normalizeSpan(ctx, HOW)
        expect(JSON.parse(JSON.stringify(record)).trace_id).toBe(Buffer.from(ctx.span.traceId).toString('hex'))
      }
    }
  })
})
