import { toHex } from '@loopkit/shared/otlp/ids'
import { createJudgeMemory } from '@loopkit/shared/signals/judge-memory'
import { judgeTrace } from '@loopkit/shared/signals/judge-trace'
import { DEFAULT_SOFT_THRESHOLDS } from '@loopkit/shared/signals/soft/thresholds'
import type { Measure } from './measure.ts'
import { NothingToMeasure } from './read-set.ts'
import { type CategoryTable, type Said, scoreTrail, type TrailCase, type TrailScore } from './trail-score.ts'
import { readTrail, type TrailTrace } from './trail-traces.ts'

/**
 * What our words mean in TRAIL's. One table for everything; a kind that is not in it claims nothing there. TRAIL labels the model's turn
 * and not the tool that failed of it, so errors of tools and steps are claimed through the turn after them.
 */
export const TRAIL_CATEGORIES: CategoryTable = {
  after_failure: ['Formatting Errors'],
  failed_action: ['Formatting Errors'],
  invalid_arguments: ['Formatting Errors'],
  shredded_output: ['Formatting Errors'],
  self_reported_trouble: ['Formatting Errors'],
  unsupported_answer: ['Goal Deviation', 'Language-only', 'Tool Selection Errors', 'Instruction Non-compliance'],
  simulated_work: ['Goal Deviation'],
  empty_search: ['Poor Information Retrieval'],
  repeated_step: ['Resource Abuse'],
  auth_failure: ['Authentication Errors'],
  timeout: ['Timeout Issues'],
  rate_limited: ['Rate Limiting'],
  orphan_tool_call: ['Task Orchestration'],
  unused_tool: ['Task Orchestration'],
}

/** Folds of traces; what is fitted on the others is scored on each. */
const FOLDS = 5

export interface TrailFigures {
  traces: number
  /** With the table above. */
  all: TrailScore
  parts: Record<string, TrailScore>
  /** With only what is a pain, and no hint. */
  painsOnly: TrailScore
  /** The table chosen inside folds from all kinds and categories: what such a choice is worth on traces it did not see. */
  crossValidated: TrailScore
}

/** All figures of the set in the folder: labelled agent traces, judged by the functions that decide stored ones. */
export function measureTrail(folder: string): TrailFigures {
  const traces = readTrail(folder)
  if (traces.length === 0) throw new NothingToMeasure('no trace that labels.json knows')
  return figuresOf(traces.map(sayOf))
}

/** The same of what somebody said of each trace. */
export function figuresOf(cases: readonly JudgedTrailCase[]): TrailFigures {
  const parts = Map.groupBy(cases, ({ part }) => part)
  return {
    traces: cases.length,
    all: scoreTrail(cases, TRAIL_CATEGORIES),
    parts: Object.fromEntries([...parts].map(([part, own]) => [part, scoreTrail(own, TRAIL_CATEGORIES)])),
    painsOnly: scoreTrail(
      cases.map(({ pains, ...rest }) => ({ ...rest, said: pains })),
      TRAIL_CATEGORIES,
    ),
    crossValidated: crossValidate(cases),
  }
}

export interface JudgedTrailCase extends TrailCase {
  part: string
  pains: Said[]
}

export function sayOf({ traceId, part, spans, labels }: TrailTrace): JudgedTrailCase {
  const rules = { off: new Set<never>(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true, withHints: true }
  const { failures, hints } = judgeTrace('measured', spans, createJudgeMemory('measured'), rules)
  const pains = failures.map(({ span, detection }): Said => ({ location: toHex(span.spanId), kind: detection.signal }))
  return {
    traceId,
    part,
    labels,
    pains,
    said: [...pains, ...hints.map(({ spanId, kind }): Said => ({ location: spanId, kind }))],
  }
}

/** Fits which kind claims which categories on all folds but one and scores that one; every trace is scored once. */
function crossValidate(cases: readonly TrailCase[]): TrailScore {
  const foldOf = ({ traceId }: TrailCase) => Number.parseInt(traceId.slice(0, 6), 16) % FOLDS
  const relabelled = Array.from({ length: FOLDS }, (_, fold) => {
    const table = fitTable(cases.filter((one) => foldOf(one) !== fold))
    return cases.filter((one) => foldOf(one) === fold).map((one) => ({ one, table }))
  }).flat()
  return scoreClaims(relabelled)
}

/** Least share of a kind's claims of a category that must be right, and how often, for the claim to be made. */
const FITTED_PRECISION_MIN = 0.28
const FITTED_HITS_MIN = 4

function fitTable(cases: readonly TrailCase[]): CategoryTable {
  const places = new Map<Said['kind'], number>()
  const hits = new Map<string, number>()
  for (const { said, labels } of cases) {
    for (const { location, kind } of said) {
      places.set(kind, (places.get(kind) ?? 0) + 1)
      for (const category of new Set(labels.filter((label) => label.location === location).map((label) => label.category)))
        hits.set(`${kind} ${category}`, (hits.get(`${kind} ${category}`) ?? 0) + 1)
    }
  }
  const table: Record<string, string[]> = {}
  for (const [key, right] of hits) {
    const kind = key.slice(0, key.indexOf(' '))
    const isGood = right >= FITTED_HITS_MIN && right / places.get(kind as Said['kind'])! >= FITTED_PRECISION_MIN
    if (isGood) table[kind] = [...(table[kind] ?? []), key.slice(kind.length + 1)]
  }
  return table as CategoryTable
}

/** Scores cases each with a table of its own: kinds are renamed to their claims, so that one table fits all. */
function scoreClaims(cases: { one: TrailCase; table: CategoryTable }[]): TrailScore {
  const tables = [...new Set(cases.map(({ table }) => table))]
  const named = (kind: Said['kind'], table: CategoryTable) => `${tables.indexOf(table)} ${kind}` as Said['kind']
  const joined = Object.fromEntries(
    tables.flatMap((table) => Object.entries(table).map(([kind, of]) => [named(kind as Said['kind'], table), of])),
  ) as CategoryTable
  return scoreTrail(
    cases.map(({ one, table }) => ({ ...one, said: one.said.map((said) => ({ ...said, kind: named(said.kind, table) })) })),
    joined,
  )
}

/** The figures as a person reads them, beside what was published and what is aimed at. */
export function describeTrail({ traces, all, parts, painsOnly, crossValidated }: TrailFigures): string {
  const rows: [string, TrailScore][] = [
    ['all', all],
    ...Object.entries(parts),
    ['pains without hints', painsOnly],
    ['categories chosen in folds', crossValidated],
  ]
  const head = `TRAIL, ${traces} traces; targets: joint ≥ .25 at joint precision ≥ .35, location F1 ≥ .50; Gemini 2.5 Pro: GAIA .389/.546/.183, SWE .148/.238/.050`
  return [head, ...rows.map(([name, score]) => `  ${name.padEnd(28)} ${describeScore(score)}`)].join('\n')
}

function describeScore({ categoryF1, locationAccuracy, jointAccuracy, location, joint }: TrailScore): string {
  const figure = (value: number) => value.toFixed(3).replace(/^0/, '')
  return [
    `official ${figure(categoryF1)}/${figure(locationAccuracy)}/${figure(jointAccuracy)}`,
    `joint ${figure(joint.recall)} at ${figure(joint.precision)} (${joint.claims} claims)`,
    `location F1 ${figure(location.f1)} (${figure(location.precision)}/${figure(location.recall)})`,
  ].join('; ')
}

/** The figures that have a target. */
export function toMeasure({ traces, all, crossValidated }: TrailFigures): Measure {
  return {
    name: 'agent traces (TRAIL)',
    published: 'category/location/joint of Gemini 2.5 Pro: GAIA .389/.546/.183, SWE .148/.238/.050',
    figures: [
      { name: 'joint recall', value: all.joint.recall, target: { atLeast: 0.25 } },
      { name: 'joint accuracy, official', value: all.jointAccuracy, target: { atLeast: 0.25 } },
      { name: 'joint precision', value: all.joint.precision, target: { atLeast: 0.35 } },
      { name: 'location micro-F1', value: all.location.f1, target: { atLeast: 0.5 } },
      { name: 'joint recall, categories chosen in folds', value: crossValidated.joint.recall, target: { atLeast: 0.25 } },
      { name: 'joint precision, categories chosen in folds', value: crossValidated.joint.precision, target: { atLeast: 0.35 } },
      { name: 'location micro-F1, categories chosen in folds', value: crossValidated.location.f1, target: { atLeast: 0.5 } },
    ],
    note: `${traces} traces; judged by the functions that decide stored ones (a test sends them through the real ingest, too)`,
  }
}
