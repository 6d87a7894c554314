import { decodeTraces } from '@loopkit/shared/otlp/decode-traces'
import { scanTraces } from '@loopkit/shared/otlp/scan-traces'
import { transcodeTracesJson } from '@loopkit/shared/otlp/transcode-json'
import { createLoadTemplate, type LoadTemplate } from './load-template.ts'
import { type Mix, requestsOf } from './mixes.ts'

const BATCH = 512
const LIMITS = { anyValueDepthMax: 64, jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const BODIES_MAX = 16

/** What one core does with a body in this process, without sockets and disk. */
export interface DecodeOnly {
  mix: Mix
  what: 'walk protobuf' | 'decode every attribute' | 'JSON to protobuf' | 'JSON.parse'
  spans_per_s: number
  mb_per_s: number
}

const WORK: { [what in DecodeOnly['what']]: { encoding: LoadTemplate['encoding']; run(bytes: Uint8Array): void } } = {
  'walk protobuf': { encoding: 'protobuf', run: (bytes) => void scanTraces(bytes, LIMITS) },
  'decode every attribute': {
    encoding: 'protobuf',
    run(bytes) {
      for (const _ of decodeTraces(bytes));
    },
  },
  'JSON to protobuf': { encoding: 'json', run: (bytes) => void transcodeTracesJson(bytes, LIMITS) },
  'JSON.parse': { encoding: 'json', run: (bytes) => void JSON.parse(Buffer.from(bytes).toString()) },
}

/** Each for so long, the first half of it to warm up. By the process's own time, so that a busy machine changes nothing. */
export function measureDecoding(mix: Mix, forMs: number, nowNano: bigint): DecodeOnly[] {
  const requests = requestsOf(mix, mix === 'agents' ? 16 : BATCH).slice(0, BODIES_MAX)
  return Object.entries(WORK).map(([what, { encoding, run }]) => {
    const templates = requests.map((request) => createLoadTemplate(request, encoding, nowNano))
    runFor(templates, run, forMs / 2)
    const { spans, bytes, cpuSeconds } = runFor(templates, run, forMs / 2)
    return {
      mix,
      what: what as DecodeOnly['what'],
      spans_per_s: Math.round(spans / cpuSeconds),
      mb_per_s: Math.round(bytes / cpuSeconds / 1e6),
    }
  })
}

function runFor(templates: readonly LoadTemplate[], run: (bytes: Uint8Array) => void, forMs: number) {
  const before = process.threadCpuUsage()
  const endMs = performance.now() + forMs
  let spans = 0
  let bytes = 0
  for (let n = 0; performance.now() < endMs; n++) {
    const template = templates[n % templates.length]!
    run(template.bytes)
    spans += template.spans
    bytes += template.bytes.length
  }
  const { user, system } = process.threadCpuUsage(before)
  return { spans, bytes, cpuSeconds: (user + system) / 1e6 }
}
