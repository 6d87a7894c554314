import type { Contrast } from '../contrast/contrast-records.ts'
import { createIsWithinTokens } from '../token-count.ts'
import { cut } from '../untrusted-text.ts'
import { buildPacket, diagnosisAnswer, type PacketContent } from './build-packet.ts'
import type { DiagnosisPacket, Issue, Omission } from './model.ts'

/** The reason of whatever is left out here. */
const BUDGET = 'budget_tokens'
/** Evidence that a trimmed issue keeps. */
const TRIMMED_EVIDENCE = 3
const BARE_EVIDENCE = 1
const BARE_TITLE_CHARS = 60
/** Pains named among what was left out. */
const DROPPED_NAMED_MAX = 3
/** Pains that are named, if only barely, before the first one loses its plan: whoever has room for little acts on the first. */
const NAMED_BESIDE_FIRST = 4

/** From full to bare: each step takes more detail off one issue. Whatever it takes is named in the issue's `unavailable`. */
const TRIMS: readonly ((issue: Issue) => Issue)[] = [
  (issue) => without(issue, ['issue_draft']),
  (issue) => without(issue, ['patch_plan']),
  (issue) => without(issue, ['eval_candidate']),
  (issue) => ({
    ...withEvidence(issue, { records: TRIMMED_EVIDENCE, traces: TRIMMED_EVIDENCE }),
    suspects: issue.suspects?.slice(0, 1) ?? null,
    contrasts: issue.contrasts?.slice(0, 1).map(bareContrast) ?? null,
  }),
  (issue) => without(withEvidence(issue, { records: BARE_EVIDENCE, traces: BARE_EVIDENCE }), ['blast_radius']),
  (issue) => without(issue, ['suspects', 'contrasts']),
  (issue) => ({
    ...withEvidence(issue, { records: BARE_EVIDENCE, traces: 0 }),
    title: cut(issue.title, BARE_TITLE_CHARS),
    why: issue.why.split(/[(;]/)[0]!.trim(),
    next_action: 'GET /v1/pains/{pain_id}',
  }),
]

/** The first of its records and traces; what was more is named, and what was all is not. */
function withEvidence(issue: Issue, { records, traces }: { records: number; traces: number }): Issue {
  const cutNames = [
    ...(issue.evidence_ids.length > records ? ['evidence_ids'] : []),
    ...(issue.traces.length > traces ? ['traces'] : []),
  ]
  return {
    ...issue,
    evidence_ids: issue.evidence_ids.slice(0, records),
    traces: issue.traces.slice(0, traces),
    unavailable: { ...issue.unavailable, ...Object.fromEntries(cutNames.map((name) => [name, BUDGET])) },
  }
}

/** What it says without the records that show it. */
function bareContrast(contrast: Contrast): Contrast {
  return { ...contrast, examples: contrast.examples.slice(0, 1), counter_examples: contrast.counter_examples.slice(0, 1) }
}

type Taken = 'issue_draft' | 'patch_plan' | 'eval_candidate' | 'blast_radius' | 'contrasts' | 'suspects'

/** A field that could not be said before keeps the reason that it had. */
function without(issue: Issue, fields: readonly Taken[]): Issue {
  const said = fields.filter((field) => issue[field] !== null)
  const taken = Object.fromEntries(said.map((field) => [field, null]))
  const kept = Object.entries(issue.unavailable).filter(
    ([name]) => !said.some((field) => name === field || name.startsWith(`${field}.`)),
  )
  return {
    ...issue,
    ...taken,
    unavailable: { ...Object.fromEntries(kept), ...Object.fromEntries(said.map((field) => [field, BUDGET])) },
  }
}

/**
 * The fullest packet whose whole answer keeps the budget. All pains but the first lose detail, the last ones first, until they are bare;
 * then the last of many go, then the first loses its detail, and at the very end all are only counted in `omitted`. Deterministic: the
 * same content and budget give the same packet.
 */
export function fitPacket(content: PacketContent, budgetTokens: number | null, createdAtMs: number): DiagnosisPacket {
  const cuts = cutsOf(content.issues.length)
  const packetAfter = (count: number) => buildPacket(cutContent(content, cuts.slice(0, count)), createdAtMs)
  if (budgetTokens === null) return packetAfter(0)
  const isWithinTokens = createIsWithinTokens()
  const fits = (packet: DiagnosisPacket) => isWithinTokens(diagnosisAnswer(JSON.stringify(packet)), budgetTokens)
  let enough = cuts.length
  for (let low = 0; low < enough; ) {
    const middle = Math.floor((low + enough) / 2)
    if (fits(packetAfter(middle))) enough = middle
    else low = middle + 1
  }
  return packetAfter(enough)
}

/** One trim off the issue at this place; the last issue goes; the names of those that went go, or all but one; all names, and the service, go. */
type Cut = { trim: number } | 'drop' | 'ids' | 'few' | 'names'

function cutsOf(total: number): Cut[] {
  const others = Array.from({ length: Math.max(0, total - 1) }, (_, at) => ({ trim: total - 1 - at }))
  const beside = Math.min(others.length, NAMED_BESIDE_FIRST)
  const first: Cut[] = total === 0 ? [] : [{ trim: 0 }]
  return [
    ...TRIMS.flatMap((): Cut[] => others),
    ...others.slice(beside).map((): Cut => 'drop'),
    ...TRIMS.slice(0, -1).flatMap(() => first),
    ...others.slice(0, beside).map((): Cut => 'drop'),
    ...first,
    ...(others.length > 0 ? (['ids'] as const) : []),
    ...first.map((): Cut => 'drop'),
    'few',
    'names',
  ]
}

function cutContent(content: PacketContent, cuts: readonly Cut[]): PacketContent {
  const total = content.issues.length
  const dropped = cuts.filter((cut) => cut === 'drop').length
  const isLast = cuts.includes('names')
  const trims = new Array<number>(total).fill(0)
  for (const cut of cuts) if (typeof cut === 'object') trims[cut.trim]! += 1
  const issues = content.issues
    .slice(0, total - dropped)
    .map((issue, at) => TRIMS.slice(0, trims[at]).reduce((trimmed, trim) => trim(trimmed), issue))
  const trimmed = issues.filter((_, at) => trims[at]! > 0).length
  const gone = content.issues.slice(total - dropped)
  const omitted: Omission[] = [
    ...content.omitted,
    ...(trimmed > 0 ? [{ what: 'issue_detail', count: trimmed, reason: BUDGET, href: '/v1/pains/{pain_id}' }] : []),
    ...(dropped > 0
      ? [
          {
            what: 'issues',
            count: dropped,
            reason: BUDGET,
            ...named(gone, { isAll: dropped === total, idsMax: idsMaxOf(cuts, dropped === total) }),
            href: '/v1/pains',
          },
        ]
      : []),
    ...(isLast && content.service !== null ? [{ what: 'service', count: 1, reason: BUDGET }] : []),
  ]
  const shown = isLast ? omitted.map(({ what, count, reason }) => ({ what, count, reason })) : omitted
  return { ...content, issues, omitted: shown, service: isLast ? null : content.service }
}

/** Where no pain is left its name is all there is of it. */
function idsMaxOf(cuts: readonly Cut[], isAll: boolean): number {
  if (cuts.includes('few')) return 1
  return cuts.includes('ids') && !isAll ? 0 : DROPPED_NAMED_MAX
}

/** The first pains that went, and where none is left what shows the first of them. */
function named(
  gone: readonly Issue[],
  { isAll, idsMax }: { isAll: boolean; idsMax: number },
): Pick<Omission, 'ids' | 'evidence_ids'> {
  const ids = gone.slice(0, idsMax).map(({ pain_id }) => pain_id)
  const evidence = isAll ? (gone[0]?.evidence_ids.slice(0, BARE_EVIDENCE) ?? []) : []
  return { ...(ids.length > 0 && { ids }), ...(evidence.length > 0 && { evidence_ids: evidence }) }
}
