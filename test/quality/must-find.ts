import type { Issue } from '../../analyzer/src/domain/packet/model.ts'
import { callApi } from '../harness/http.ts'
import { readJson } from '../harness/reading.ts'
import type { Product } from '../harness/start-product.ts'
import type { Measure } from './measure.ts'
import { NothingToMeasure, readText } from './read-set.ts'
import { sendTrail } from './trail-ingest.ts'
import { trailFiles } from './trail-traces.ts'

/** Failures that a person sees at once in the traces, by what their text says; each must be one pain. */
export const MUST_FIND = [
  "PageDownTool.forward() got an unexpected keyword argument ''",
  "cannot access local variable 'res'",
  'rate_limit_error',
  'No results found for query',
]

/** Siblings of the first one: pains of their own with one parent. */
export const MUST_BE_SIBLINGS = 'PageDownTool.forward() got an unexpected keyword argument'

const TOP = 5

/** A pain as the packet shows it, with what its words and its parent are. */
export type FoundPain = Pick<Issue, 'pain_id' | 'severity' | 'signal_type' | 'count' | 'session_count'> & {
  text: string
  parentKey: string
}

/** Every pain of the packet, in its order, after the traces went through the door, the decision and a diagnosis. */
export async function readMustFind(product: Product, folder: string): Promise<FoundPain[]> {
  const { producer_key, agent_key } = await product.provision('must-find')
  await sendTrail(product, { producer_key, agent_key }, folder)
  const ask = { key: agent_key, json: { since_minutes: 60 } }
  const { packet } = (await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, ask)).json<{ packet: { issues: Issue[] } }>()
  const pains: FoundPain[] = []
  for (const issue of packet.issues) pains.push(await withWords(product, agent_key, issue))
  return pains
}

async function withWords(product: Product, key: string, issue: Issue): Promise<FoundPain> {
  const { pain_id, severity, signal_type, count, session_count, title, issue_draft } = issue
  const why = await readJson<{ parent_key: string }>(`${product.analyzerUrl}/v1/pains/${pain_id}/why`, key)
  const text = `${title}\n${issue_draft?.body_md ?? ''}`
  return { pain_id, severity, signal_type, count, session_count, text, parentKey: why.parent_key }
}

/** Those of the failures that the traces of the folder hold at all; another half need not hold each. */
export function mustFindIn(folder: string): string[] {
  const texts = trailFiles(folder).map(readText)
  return MUST_FIND.filter((wanted) => texts.some((text) => text.includes(wanted)))
}

/** Whether each of those that are there is one pain, and among the first five of the packet. */
export function measureMustFind(pains: readonly FoundPain[], wanted: readonly string[] = MUST_FIND): Measure {
  if (wanted.length === 0) throw new NothingToMeasure('the traces hold none of the failures looked for')
  const found = wanted.map((text) => pains.filter((pain) => pain.text.includes(text)))
  const ranks = found.map(([pain]) => (pain ? pains.indexOf(pain) + 1 : 0))
  const siblings = pains.filter(({ text }) => text.includes(MUST_BE_SIBLINGS))
  return {
    name: 'must-find pains',
    published: '–',
    figures: [
      {
        name: `are one pain, of ${wanted.length}`,
        value: found.filter(({ length }) => length === 1).length,
        target: { atLeast: wanted.length },
      },
      {
        name: `are among the top five of the packet, of ${wanted.length}`,
        value: ranks.filter((rank) => rank > 0 && rank <= TOP).length,
        target: { atLeast: wanted.length },
      },
      { name: 'parents of the siblings', value: new Set(siblings.map(({ parentKey }) => parentKey)).size, target: { atMost: 1 } },
    ],
    note: `ranks ${ranks.map((rank) => rank || 'absent').join(', ')} of ${pains.length}, ${siblings.length} siblings; sent, stored, decided and diagnosed by the running product`,
  }
}
