import type { Contrast } from '../contrast/contrast-records.ts'
import { isWithinTokens } from '../token-count.ts'
import { cut } from '../untrusted-text.ts'
import { buildPacket, diagnosisAnswer, type PacketContent } from './build-packet.ts'
import type { DiagnosisPacket, Issue } from './model.ts'

/** Evidence that a trimmed issue keeps. */
const TRIMMED_EVIDENCE = 3
const BARE_EVIDENCE = 1
const BARE_TITLE_CHARS = 60
/** Pains named among what was left out. */
const DROPPED_NAMED_MAX = 3

/** From full to bare: each step takes more detail off one issue. Whatever it takes is named in the issue's `unavailable`. */
const TRIMS: readonly ((issue: Issue) => Issue)[] = [
  (issue) => without(issue, ['issue_draft']),
  (issue) => without(issue, ['patch_plan']),
  (issue) => without(issue, ['eval_candidate']),
  (issue) => ({
    ...issue,
    evidence_ids: issue.evidence_ids.slice(0, TRIMMED_EVIDENCE),
    traces: issue.traces.slice(0, TRIMMED_EVIDENCE),
    suspects: issue.suspects?.slice(0, 1) ?? null,
    contrasts: issue.contrasts?.slice(0, 1).map(bareContrast) ?? null,
    unavailable: { ...issue.unavailable, evidence_ids: 'budget_tokens', traces: 'budget_tokens' },
  }),
  (issue) => ({
    ...without(issue, ['blast_radius']),
    evidence_ids: issue.evidence_ids.slice(0, BARE_EVIDENCE),
    traces: [],
    suspects: null,
    contrasts: null,
    title: cut(issue.title, BARE_TITLE_CHARS),
    why: issue.why.split(/[(;]/)[0]!.trim(),
    next_action: 'GET /v1/pains/{pain_id}',
    // One word for all that a bare issue lacks: naming each field would cost more than it says.
    unavailable: { detail: 'budget_tokens' },
  }),
]

/** What it says without the records that show it. */
function bareContrast(contrast: Contrast): Contrast {
  return { ...contrast, examples: contrast.examples.slice(0, 1), counter_examples: contrast.counter_examples.slice(0, 1) }
}

function without(issue: Issue, fields: ('issue_draft' | 'patch_plan' | 'eval_candidate' | 'blast_radius')[]): Issue {
  const taken = Object.fromEntries(fields.map((field) => [field, null]))
  const kept = Object.entries(issue.unavailable).filter(([name]) => !fields.some((field) => name.startsWith(`${field}.`)))
  const reasons = Object.fromEntries([...kept, ...fields.map((field) => [field, 'budget_tokens'])])
  return { ...issue, ...taken, unavailable: reasons }
}

/**
 * The fullest packet whose whole answer keeps the budget: first the last issues lose detail, then the earlier ones, then issues
 * go from the end, counted in `omitted`. Deterministic: the same content and budget give the same packet.
 */
export function fitPacket(content: PacketContent, budgetTokens: number | null, createdAtMs: number): DiagnosisPacket {
  const packetAfter = (cuts: number) => buildPacket(cutContent(content, cuts), createdAtMs)
  if (budgetTokens === null) return packetAfter(0)
  const fits = (packet: DiagnosisPacket) => isWithinTokens(diagnosisAnswer(JSON.stringify(packet)), budgetTokens)
  // The very last cut leaves out even the names of what was left out, and the service that was asked for.
  let enough = content.issues.length * (TRIMS.length + 1) + 1
  for (let low = 0; low < enough; ) {
    const middle = Math.floor((low + enough) / 2)
    if (fits(packetAfter(middle))) enough = middle
    else low = middle + 1
  }
  return packetAfter(enough)
}

/** Cut number n takes one trim off one issue: trim by trim from the last issue to the first, then issue by issue from the end. */
function cutContent(content: PacketContent, cuts: number): PacketContent {
  const total = content.issues.length
  if (cuts === 0) return content
  const trims = total === 0 ? 0 : Math.floor(Math.min(cuts, total * TRIMS.length) / total)
  const further = Math.min(cuts, total * TRIMS.length) - trims * total
  const dropped = Math.min(total, Math.max(0, cuts - total * TRIMS.length))
  const isLast = cuts > total * (TRIMS.length + 1)
  const names = isLast ? [] : content.issues.slice(total - dropped).map(({ pain_id }) => pain_id)
  const issues = content.issues
    .map((issue, at) => TRIMS.slice(0, at >= total - further ? trims + 1 : trims).reduce((trimmed, trim) => trim(trimmed), issue))
    .slice(0, total - dropped)
  const trimmed = trims > 0 ? total - dropped : Math.min(further, total - dropped)
  const omitted = [
    ...content.omitted.map(({ ids, ...what }) => (isLast || ids === undefined ? what : { ...what, ids })),
    ...(trimmed > 0 ? [{ what: 'issue_detail', count: trimmed, reason: 'budget_tokens' }] : []),
    ...(dropped > 0 ? [{ what: 'issues', count: dropped, reason: 'budget_tokens', ...named(names) }] : []),
    ...(isLast && content.service !== null ? [{ what: 'service', count: 1, reason: 'budget_tokens' }] : []),
  ]
  return { ...content, issues, omitted, service: isLast ? null : content.service }
}

function named(ids: readonly string[]): { ids?: string[] } {
  return ids.length === 0 ? {} : { ids: ids.slice(0, DROPPED_NAMED_MAX) }
}
