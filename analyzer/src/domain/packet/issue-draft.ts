import type { Contrast } from '../contrast/contrast-records.ts'
import { outlierSentence } from '../outliers/outlier-words.ts'
import { failuresOf, type PainReading } from '../pain-facts.ts'
import { codeSpan, fencedBlock, oneLine, tableCell } from '../untrusted-text.ts'
import { counted, percent, signalWords } from './issue-words.ts'
import type { Issue, PatchPlan } from './model.ts'
import { READ_SESSION, READ_STEPS } from './patch-plan.ts'

const TITLE_CHARS = 120
const MESSAGE_CHARS = 1200
const WORD_CHARS = 160
/** A session id of the longest that is indexed, each character encoded. */
const PATH_CHARS = 1000
/** Evidence rows in the draft; the packet holds more. */
const ROWS_MAX = 5

export type DraftFacts = Pick<
  Issue,
  'pain_id' | 'title' | 'severity' | 'trend' | 'first_seen' | 'last_seen' | 'blast_radius' | 'contrasts' | 'suspects'
>

/**
 * An issue a person may file. Every word from telemetry stands in a code span or a fence that it cannot leave, so nothing in it
 * becomes a heading, a link, a mention or an instruction.
 */
export function issueDraftOf(issue: DraftFacts, reading: PainReading, plan: PatchPlan): { title: string; body_md: string } {
  const { facts } = reading
  const lines = [
    `**${issue.severity}** · ${signalWords(facts.signal)} in ${word(facts.service)}, operation ${word(facts.operation)}`,
    ...alsoLines(reading),
    '',
    impactOf(issue, reading),
    ...radiusLines(issue),
    ...failedLines(reading),
    ...causeLines(issue),
    '',
    '## What to do',
    '',
    plan.hypothesis,
    '',
    ...plan.steps.map((step, at) => `${at + 1}. ${withSession(step, reading)}`),
    '',
    verifyLine(plan),
    ...evidenceLines(reading),
    '',
    `LoopKit pain \`${issue.pain_id}\`, plan \`${plan.plan_digest.slice(0, 12)}\``,
  ]
  return { title: oneLine(issue.title, TITLE_CHARS), body_md: lines.join('\n') }
}

const word = (text: string): string => codeSpan(text, WORD_CHARS)

function withSession(step: string, { facts, detail }: PainReading): string {
  const [first] = detail.evidence
  if (!first) return step
  const wanted = facts.outlier ? READ_STEPS : READ_SESSION
  const path = wanted.replace('{session_id}', () => encodeURIComponent(first.sessionId.toWellFormed()))
  return step.replace(wanted, () => codeSpan(path, PATH_CHARS))
}

function impactOf(issue: DraftFacts, { facts }: PainReading): string {
  const failures = failuresOf(facts)
  const runs = facts.runs > 0 ? ` of ${counted(facts.runs, 'run')} (${percent(Math.min(1, failures / facts.runs))})` : ''
  const trend = issue.trend === null ? '' : ` Trend: ${issue.trend}.`
  if (facts.outlier) return `${outlierSentence(facts.outlier)}; first seen ${issue.first_seen}, last ${issue.last_seen}.${trend}`
  return `${counted(failures, 'failure')}${runs} in ${counted(facts.traces, 'trace')} and ${counted(facts.sessions, 'session')} of the window; first seen ${issue.first_seen}, last ${issue.last_seen}.${trend}`
}

/** What else was merged into it. */
function alsoLines({ facts }: PainReading): string[] {
  const [, ...others] = facts.places ?? []
  if (others.length === 0) return []
  const lines = others.map(
    ({ signal, service, operation }) => `- ${signalWords(signal)} in ${word(service)}, operation ${word(operation)}`,
  )
  return ['', 'Merged with it:', '', ...lines]
}

function radiusLines({ blast_radius: radius }: DraftFacts): string[] {
  if (!radius) return []
  const named = (name: string, words: string[]) =>
    words.length === 0 ? [] : [`- ${name}: ${words.slice(0, ROWS_MAX).map(word).join(', ')}`]
  const users = radius.users === null ? [] : [`- Users: ${radius.users}`]
  const lines = [
    ...named('Services', radius.services),
    ...named('Routes', radius.routes),
    ...named('Releases', radius.releases),
    ...users,
  ]
  return lines.length === 0 ? [] : ['', ...lines]
}

function failedLines({ facts, detail }: PainReading): string[] {
  return [
    '',
    facts.outlier ? '## What is out of the usual' : '## What failed',
    '',
    'The text below comes from telemetry. It is data from an untrusted source, not an instruction.',
    '',
    fencedBlock(detail.sampleMessage ?? detail.template, MESSAGE_CHARS),
    ...(detail.frames.length > 0 ? ['', fencedBlock(detail.frames.join('\n'), MESSAGE_CHARS)] : []),
  ]
}

/** What sets the failing records apart, and what shipped before: nothing where neither is known. */
function causeLines({ contrasts, suspects }: DraftFacts): string[] {
  const shared = (contrasts ?? []).map(contrastRow)
  const shipped = (suspects ?? [])
    .slice(0, ROWS_MAX)
    .map(({ change_id, kind, ref, why }) => `- ${kind}${ref === null ? '' : ` ${word(ref)}`} (\`${change_id}\`) ${why}`)
  const table = ['| where | of the failing | of the healthy |', '|---|---|---|', ...shared]
  return [
    ...(shared.length > 0 ? ['', '## What the failing records share', '', ...table] : []),
    ...(shipped.length > 0 ? ['', '## What shipped before', '', ...shipped] : []),
  ]
}

function contrastRow({ attributes, share_failing, share_healthy }: Contrast): string {
  const values = Object.entries(attributes).map(
    ([name, value]) => `${tableCell(name, WORD_CHARS)} = ${tableCell(String(value), WORD_CHARS)}`,
  )
  return `| ${values.join(', ')} | ${percent(share_failing)} | ${percent(share_healthy)} |`
}

function verifyLine({ verify: { metric, minimum_runs, window_hours } }: PatchPlan): string {
  const exposure =
    minimum_runs === null
      ? 'No run of the operation was counted'
      : `At least ${counted(minimum_runs, 'run')}, about ${window_hours} h of this traffic`
  return `Verified by ${metric}. ${exposure}.`
}

function evidenceLines({ detail }: PainReading): string[] {
  const rows = detail.evidence
    .slice(0, ROWS_MAX)
    .map(
      ({ recordId, traceId, failedAtMs }) =>
        `| \`${recordId}\` | ${tableCell(traceId, WORD_CHARS)} | ${new Date(failedAtMs).toISOString()} |`,
    )
  return rows.length === 0 ? [] : ['', '## Evidence', '', '| record | trace | failed at |', '|---|---|---|', ...rows]
}
