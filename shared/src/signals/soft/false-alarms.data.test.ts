import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import { toHex } from '../../otlp/ids.ts'
import { transcodeTracesJson } from '../../otlp/transcode-json.ts'
import { viewSpan } from '../../span/view-span.ts'
import { detect } from '../detect.ts'
import { createJudgeFilter } from '../judge-filter.ts'
import { createJudgeMemory } from '../judge-memory.ts'
import { judgeTrace } from '../judge-trace.ts'
import type { TraceSpan } from '../model.ts'
import { DEFAULT_SOFT_THRESHOLDS } from './thresholds.ts'

/** A shop's own telemetry; it is no part of the project. */
const CAPTURE = new URL('../../../../../shared/data/otlp/otel-demo-capture.json.gz', import.meta.url)
const HARD = new Set([
  ...['exception', 'error_status', 'tool_failure', 'llm_error', 'timeout', 'rate_limited', 'auth_failure', 'dependency_failure'],
])

if (!existsSync(CAPTURE)) {
  test.skip('measured where ../shared/data/otlp is present; here it is absent', () => {})
} else {
  test('no trace of a shop shows a soft signal, failing ones included', () => {
    const traces = readTraces()
    const rules = { off: new Set<never>(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true }
    const soft = traces.flatMap((spans) =>
      judgeTrace('measured', spans, createJudgeMemory('measured'), rules)
        .failures.map(({ detection, view }) => `${detection.signal} ${view.operation}: ${detection.because}`)
        .filter((said) => !HARD.has(said.split(' ')[0]!)),
    )
    process.stderr.write(`soft signals in ${traces.length} traces of the OpenTelemetry demo: ${soft.length}\n`)
    expect(traces.length).toBeGreaterThan(100)
    expect(soft).toEqual([])
  })
}

function readTraces(): TraceSpan[][] {
  const lines = gunzipSync(readFileSync(CAPTURE)).toString().split('\n')
  const requests = lines.filter((line) => line.includes('"resourceSpans"')).map((line) => Buffer.from(line))
  const spans = requests.flatMap((json) => {
    const { body } = transcodeTracesJson(json, { jsonDepthMax: 300, jsonValuesMax: 4_000_000 })
    return [...decodeTraces(body, createJudgeFilter())].map((ctx): TraceSpan => {
      const view = viewSpan(ctx)
      return { span: ctx.span, view, detection: detect(ctx.span, view, new Set()) }
    })
  })
  return [...Map.groupBy(spans, ({ span }) => toHex(span.traceId)).values()]
}
