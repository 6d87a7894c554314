import { join } from 'node:path'
import { createTraceHashWriter } from '@loopkit/shared/database/telemetry/trace-hash'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { scanTraces } from '@loopkit/shared/otlp/scan-traces'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { DETECTION_KEYS } from '@loopkit/shared/signals/detect'
import { createJudgeFilter } from '@loopkit/shared/signals/judge-filter'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import { createDecider } from '../../../collector/src/decide/decider.ts'
import { createHourFolder } from '../../../collector/src/retain/fold-hours.ts'
import { createTraceFolder } from '../../../collector/src/retain/fold-traces.ts'
import { createMerger } from '../../../collector/src/retain/merger.ts'
import { openRetainedStore } from '../../../collector/src/retain/retained-store.ts'
import { createRollUp } from '../../../collector/src/retain/roll-up.ts'
import { createStoredBytes } from '../../../collector/src/retain/stored-bytes.ts'
import { openStore } from '../../../collector/src/start/open-store.ts'
import { createLogMoved } from '../../../collector/src/write/log-moved.ts'
import { WRITE_TURN_BYTES } from '../../../collector/src/write/write-turn.ts'
import { createWriter } from '../../../collector/src/write/writer.ts'
import { hexDigits, mulberry32 } from '../../demo/random.ts'
import { createLoadTemplate, type LoadTemplate } from '../load-template.ts'
import { renewBody } from '../renew-body.ts'
import { painfulShop, SHOP_SPANS } from './painful-shop.ts'

export interface FillOptions {
  dataDir: string
  projectNo: number
  spans: number
  /** The day ends here. */
  endMs: number
  print(line: string): void
}

const DAY_MS = 86_400_000
/** Different bodies; each comes again under other ids and times. */
const TEMPLATES = 40
const QUIET_MS = 30_000
const DECIDE_AFTER_MS = 600_000
const signalsOff = new Set<never>()

/**
 * A day of the shop in telemetry.db: by the collector's own writer, decider, merger and folder, with a clock of ours, in this
 * process; only the door is left out. Answers how many spans there are.
 */
export function fillStore({ dataDir, projectNo, spans, endMs, print }: FillOptions): number {
  const path = join(dataDir, 'telemetry.db')
  let nowMs = endMs - DAY_MS
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() }
  const { hashKey } = openStore(path, null)
  const filter = createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES)
  const logMoved = createLogMoved(new SharedArrayBuffer(WRITE_TURN_BYTES))
  const writer = createWriter({ path, rules: { filter, signalsOff }, redact: false, clock, logMoved })
  const decider = createDecider({
    ...{ telemetryPath: path, controlPath: join(dataDir, 'control.db'), quietMs: QUIET_MS, decideAfterMs: DECIDE_AFTER_MS },
    ...{ signalsOff, filter: createJudgeFilter(), clock },
    write(decisions, atMs) {
      const answer = writer.decide({ decisions: [...decisions], nowMs: atMs })
      if (!('decided' in answer)) throw new Error(JSON.stringify(answer))
      return answer.decided
    },
  })
  const store = openRetainedStore(path, clock, 1000)
  const folder = createTraceFolder(store)
  const rollUp = createRollUp(store)
  const merger = createMerger(store, createStoredBytes(store.db))
  const bodies = Math.ceil(spans / SHOP_SPANS)
  const made = { startMs: endMs - DAY_MS, count: Math.min(TEMPLATES, bodies) }
  const toBody = createBodies(projectNo, made, createTraceHashWriter(hashKey))
  const decide = () => {
    while (decider.decideBatch().mayHaveMore);
  }
  try {
    for (let n = 0; n < bodies; n++) {
      nowMs = endMs - DAY_MS + Math.floor(((DAY_MS - 120_000) * (n + 1)) / bodies)
      const body = toBody(n, nowMs - (endMs - DAY_MS))
      const reply = writer.commit({ kind: 'commit', group: n, bodies: [body], ledger: [], keyUses: [] })
      if (reply.kind !== 'committed') throw new Error(JSON.stringify(reply))
      if (n % 8 === 0 || bodies < 1000) decide()
      while (n % 64 === 0 && rollUp.foldNext());
      if (n % 500 === 499) print(`${(n + 1) * SHOP_SPANS} spans`)
    }
    nowMs = endMs - 1
    decide()
    for (let merged = merger.mergeNext(nowMs); merged !== 'idle'; merged = merger.mergeNext(nowMs));
    for (const step of [folder, rollUp, createHourFolder(store, { nowMs: () => endMs + DAY_MS })]) while (step.foldNext());
    store.db.pragma('wal_checkpoint(TRUNCATE)')
    return bodies * SHOP_SPANS
  } finally {
    decider.close()
    store.close()
    writer.close()
  }
}

/** `lateMs` from the start of the day. */
function createBodies(
  projectNo: number,
  { startMs, count }: { startMs: number; count: number },
  hashTrace: ReturnType<typeof createTraceHashWriter>,
) {
  const random = mulberry32(7)
  const templates: LoadTemplate[] = Array.from({ length: count }, (_, seed) =>
    createLoadTemplate(painfulShop(seed + 1), 'protobuf', BigInt(startMs) * 1_000_000n),
  )
  return (n: number, lateMs: number) => {
    const template = templates[n % count]!
    const body = Buffer.alloc(template.bytes.length)
    renewBody(template, body, 0, Buffer.from(hexDigits(random, 32), 'hex'), lateMs * 1e6)
    const { count: spans, traceIdAt } = scanTraces(body, { anyValueDepthMax: 64 })
    const traces = new Uint32Array(spans * 2)
    for (let i = 0; i < spans; i++) hashTrace(projectNo, body, traceIdAt[i]!, traces, i * 2)
    const counted = { spans, newSpans: spans, replaced: new Uint8Array(0), traces, ledger: [] }
    return { projectNo, recordKind: 'span' as const, body, ...counted }
  }
}
