import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { callApi } from '../harness/http.ts'
import type { EvidenceRecord, NamedPain } from './score.ts'

interface PainItem {
  pain_id: string
  title: string
  signal_type: SignalType
  count: number
}

/** The part of a record (contract §4) by which evidence is recognized. */
interface RecordItem {
  trace_id: string
  service: string
  name: string
  operation: string
  tool: string | null
  status: { message: string }
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
}

interface Page<T> {
  items: T[]
  next_cursor: string | null
}

const PAGES_MAX = 50

/** Every pain the product names, not only the first of a packet, each with its evidence read back by id. */
export async function readPains(analyzerUrl: string, key: string): Promise<NamedPain[]> {
  const pains: NamedPain[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = new URLSearchParams({ limit: '100', ...(cursor !== null && { cursor }) })
    const { items, next_cursor }: Page<PainItem> = await read(`${analyzerUrl}/v1/pains?${query}`, key)
    for (const item of items) pains.push(await withEvidence(analyzerUrl, key, item))
    if (next_cursor === null) return pains
    cursor = next_cursor
  }
  throw new Error(`more than ${PAGES_MAX} pages of pains`)
}

async function withEvidence(analyzerUrl: string, key: string, item: PainItem): Promise<NamedPain> {
  const { evidence_ids } = await read<{ evidence_ids: string[] }>(`${analyzerUrl}/v1/pains/${item.pain_id}`, key)
  const evidence = await Promise.all(evidence_ids.map((id) => readEvidence(analyzerUrl, key, id)))
  return { painId: item.pain_id, title: item.title, signal: item.signal_type, count: item.count, evidence }
}

/** Rejects when the id leads nowhere: evidence that cannot be read is none. */
async function readEvidence(analyzerUrl: string, key: string, recordId: string): Promise<EvidenceRecord> {
  const { items } = await read<Page<RecordItem>>(`${analyzerUrl}/v1/telemetry?record_id=${recordId}`, key)
  const [record] = items
  if (!record) throw new Error(`evidence ${recordId} leads to no record`)
  const messages = record.events.map(({ attributes }) => attributes['exception.message'])
  return {
    traceId: record.trace_id,
    service: record.service,
    names: [record.name, record.operation, record.tool ?? ''],
    text: [record.status.message, ...messages, record.attributes['gen_ai.tool.call.result']].join('\n'),
  }
}

/** One JSON answer; rejects with the body where the status is not 200. */
export async function read<T>(url: string, key: string): Promise<T> {
  const answer = await callApi(url, { key })
  if (answer.status !== 200) throw new Error(`GET ${url} answered ${answer.status}: ${answer.text.slice(0, 500)}`)
  return answer.json<T>()
}
