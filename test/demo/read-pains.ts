import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { type Page, type RecordJson, readAll, readJson } from '../harness/reading.ts'
import type { EvidenceRecord, NamedPain, Severity } from './score.ts'

interface PainItem {
  pain_id: string
  title: string
  severity: Severity
  signal_type: SignalType
  count: number
  evidence_ids: string[]
}

/** Every pain the product names, not only the first of a packet, each with its evidence read back by id. */
export async function readPains(analyzerUrl: string, key: string): Promise<NamedPain[]> {
  const pains: NamedPain[] = []
  for (const item of await readAll<PainItem>(`${analyzerUrl}/v1/pains?limit=100`, key)) {
    pains.push(await withEvidence(analyzerUrl, key, item))
  }
  return pains
}

interface PainJson {
  issue: { contrasts: { attributes: Record<string, unknown> }[] | null; unavailable: Record<string, string> } | null
}

async function withEvidence(analyzerUrl: string, key: string, item: PainItem): Promise<NamedPain> {
  const { issue } = await readJson<PainJson>(`${analyzerUrl}/v1/pains/${item.pain_id}`, key)
  const evidence = await Promise.all(item.evidence_ids.map((id) => readEvidence(analyzerUrl, key, id)))
  return {
    painId: item.pain_id,
    title: item.title,
    severity: item.severity,
    signal: item.signal_type,
    count: item.count,
    evidence,
    contrasts: (issue?.contrasts ?? []).map(({ attributes }) => attributes),
    noContrasts: issue?.unavailable.contrasts ?? null,
  }
}

/** Rejects when the id leads nowhere: evidence that cannot be read is none. */
async function readEvidence(analyzerUrl: string, key: string, recordId: string): Promise<EvidenceRecord> {
  const { items } = await readJson<Page<RecordJson>>(`${analyzerUrl}/v1/telemetry?record_id=${recordId}`, key)
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
