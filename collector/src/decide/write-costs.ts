import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { binOf } from '@loopkit/shared/rollup/sketch'
import { HOUR_MS, MEASURES, packDeltas, type SketchDelta } from '@loopkit/shared/rollup/sketch-delta'

/** What the runs of one decision cost, to be added to the sketches of their operations. */
export interface CostDeltas {
  add(run: MeasuredRun): void
  /** What the trace's runs were counted with when it was decided before; call it before their rows go. */
  takeBack(traceHash: bigint): void
  deltas: SketchDelta[]
}

export interface CostWriter {
  begin(projectNo: number): CostDeltas
  /** In the decision's own transaction. */
  write(projectNo: number, costs: CostDeltas, decidedMs: number): void
}

interface Usage {
  operationNo: number
  inputTokens: number
  outputTokens: number
  costUsd: number | null
  endMs: number
}

interface MeasuredRun extends Usage {
  traceId: Uint8Array
  spanId: Uint8Array
}

/** Costs are counted in millionths of a US dollar. */
const PER_USD = 1e6
/** A run of less is no example of a dear one: tokens, and a cent. */
const EXEMPLAR_MIN = { tokens: 1_000, cost: 10_000 }

export function createCostWriter(db: SqliteDatabase): CostWriter {
  const counted = db.prepare(`
      select operation_no, input_tokens, output_tokens, cost_usd, end_ms from session_trace indexed by session_trace_by_trace
      where project_no = ? and trace_hash = ? and operation_no is not null`)
  const insert = db.prepare('insert into sketch_delta (project_no, received_hour, deltas) values (?, ?, ?)')
  return {
    begin(projectNo) {
      const deltas: SketchDelta[] = []
      return {
        deltas,
        add: (run) => void deltas.push(...deltasOf(run, 1)),
        takeBack(traceHash) {
          for (const row of counted.all(projectNo, traceHash) as UsageRow[]) deltas.push(...deltasOf(toUsage(row), -1))
        },
      }
    },
    write(projectNo, { deltas }, decidedMs) {
      if (deltas.length > 0) insert.run(projectNo, Math.floor(decidedMs / HOUR_MS), packDeltas(deltas))
    },
  }
}

function deltasOf(run: Usage & Partial<MeasuredRun>, count: 1 | -1): SketchDelta[] {
  const tokens = run.inputTokens + run.outputTokens
  const measured = [
    ...(tokens > 0 ? [{ measure: 'tokens' as const, value: tokens }] : []),
    ...(run.costUsd !== null && run.costUsd > 0 ? [{ measure: 'cost' as const, value: Math.round(run.costUsd * PER_USD) }] : []),
  ]
  return measured.map(({ measure, value }) => ({
    measure: MEASURES[measure],
    operationNo: run.operationNo,
    hour: Math.max(0, Math.floor(run.endMs / HOUR_MS)),
    added: Uint16Array.from(count > 0 ? [binOf(value)] : []),
    takenBack: count > 0 ? [] : [binOf(value)],
    exemplars:
      run.traceId && run.spanId && value >= EXEMPLAR_MIN[measure]
        ? [{ value, eventMs: run.endMs, traceId: run.traceId, spanId: run.spanId }]
        : [],
  }))
}

interface UsageRow {
  operation_no: number
  input_tokens: number
  output_tokens: number
  cost_usd: number | null
  end_ms: number
}

function toUsage(row: UsageRow): Usage {
  const {
    operation_no: operationNo,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cost_usd: costUsd,
    end_ms: endMs,
  } = row
  return { operationNo, inputTokens, outputTokens, costUsd, endMs }
}
