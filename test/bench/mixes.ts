import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCapture } from '../acceptance/source-spans.ts'
import type { TraceRequestJson } from '../harness/otlp-json.ts'
import { sharedData } from '../harness/shared-data.ts'
import { cutRequests } from './cut-requests.ts'
import { generateMix } from './generate-mix.ts'

/** What is sent: the capture of a web shop, the traces of agents with whole prompts in them, or what we make up. */
export const MIXES = ['capture', 'generated', 'agents'] as const
export type Mix = (typeof MIXES)[number]

const GENERATED_SPANS = 4096
/** Spans of agents are 33 kB each: some 20 MB of them are enough to be no repetition. */
const AGENT_FILES = 12

/** Why a mix cannot be had, or null. */
export function whyNoMix(mix: Mix): string | null {
  return mix === 'generated' || existsSync(sharedData) ? null : '../shared/data is not beside this checkout'
}

/** Requests of exactly `batch` spans; where the mix has fewer, its spans come again under other ids. */
export function requestsOf(mix: Mix, batch: number): TraceRequestJson[] {
  const source = sourceOf(mix)
  const spans = countSpans(source)
  const repeats = Math.ceil(batch / spans)
  const all = Array.from({ length: repeats }, (_, repeat) => (repeat === 0 ? source : underOtherIds(source, repeat))).flat()
  return cutRequests(all, () => batch).filter((request) => countSpans([request]) === batch)
}

function sourceOf(mix: Mix): TraceRequestJson[] {
  if (mix === 'generated') return generateMix(1, 1, GENERATED_SPANS)
  if (mix === 'agents') return readAgents()
  return readCapture()
    .filter(({ kind }) => kind === 'traces')
    .map(({ line }) => JSON.parse(line) as TraceRequestJson)
}

function readAgents(): TraceRequestJson[] {
  const folder = join(sharedData, 'trail')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.otlp.json.gz'))
    .slice(0, AGENT_FILES)
    .map((name) => JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as TraceRequestJson)
}

function underOtherIds(requests: readonly TraceRequestJson[], repeat: number): TraceRequestJson[] {
  const digits = repeat.toString(16).padStart(4, '0')
  const text = JSON.stringify(requests).replace(/("(?:traceId|spanId|parentSpanId)":")[0-9a-fA-F]{4}/g, `$1${digits}`)
  return JSON.parse(text) as TraceRequestJson[]
}

function countSpans(requests: readonly TraceRequestJson[]): number {
  return requests.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  ).length
}
