import { adjustP } from '../statistics/adjust-p.ts'
import { gTest } from '../statistics/contingency.ts'

/** Records with the same values, or a single one. */
export interface ContrastCell {
  /** In the order of the attributes; null where a record has none of that name. */
  values: readonly (string | null)[]
  failing: number
  total: number
}

/** Values that records share and that set the failing ones apart. */
export interface Explanation {
  /** Attribute and value, one to three, in the order of the attributes. */
  conditions: Condition[]
  /** Failing records, and all records, that meet the conditions. */
  failing: number
  total: number
  shareFailing: number
  shareHealthy: number
  /** Failure rate of records that meet the conditions, over that of the others; null where no other failed. */
  lift: number | null
  /** Of a G-test, adjusted after Benjamini and Hochberg: every conjunction that was looked at was a try. */
  pAdjusted: number
}

export interface ExplainLimits {
  /** Explanations that are given at most. */
  explanationsMax: number
}

const CONDITIONS_MAX = 3
/** Attributes that are combined: those that tell most by themselves. More would take longer and explain no better. */
const COMBINED_MAX = 12
/** Fewer failing records than this are chance. */
const FAILING_MIN = 2
/** Each further condition must earn this much. */
const CONDITION_COST = 0.03
/** How much it counts that an explanation covers many of the failures, against how unlikely it is. */
const COVER_WEIGHT = 0.2
/** A narrower explanation replaces a wider one when it holds so much of its excess … */
const EXCESS_KEPT = 0.95
/** … and what it leaves out fails hardly more than the rest: up to this share of the way from the others' rate to its own. */
const REMAINDER_MAX = 0.2

/** Another cause beside the first must add this share of all failures to what is expected without it. */
const SECOND_SHARE_MIN = 0.1

/**
 * The conjunctions of attribute values that best explain which records fail, best first. Ranked by the root of the excess's Poisson
 * likelihood ratio, weighted by the share of the failures they cover and by how few conditions they need; the first is then narrowed
 * while that loses nothing. The last answer is what best explains the failures that the first leaves, where that is another cause; else
 * the next best. Depends on counts alone, not on the order of cells. Ties go by the conditions.
 */
export function explainFailures(cells: readonly ContrastCell[], { explanationsMax }: ExplainLimits): Explanation[] {
  const whole = wholeOf(cells)
  if (whole.failing < FAILING_MIN || whole.failing >= whole.total) return []
  const attributes = tellingAttributes(cells, whole)
  const all = rankAll(cells, attributes, whole)
  const [first, ...others] = inOrder(all)
  if (!first) return []
  const second = secondCause(cells, attributes, first, whole)
  const best = second && !others.slice(0, explanationsMax - 1).some((one) => nameOf(one) === nameOf(second)) ? second : null
  const next = others.slice(0, explanationsMax - (best ? 2 : 1))
  return [first, ...next, ...(best ? [best] : [])].slice(0, explanationsMax).map((one) => show(one, whole))
}

/** Further conditions that no record fails to meet add nothing. */
export function saysTheSame(one: Conjunction, wider: Conjunction): boolean {
  if (one.failing !== wider.failing || one.total !== wider.total) return false
  return wider.conditions.every((wanted) => one.conditions.some((own) => isSame(own, wanted)))
}

/** Best first, the first narrowed as far as that loses nothing. */
function inOrder({ ranked, whole }: AllRanked): Ranked[] {
  if (ranked.length === 0) return []
  const narrowed = narrow(ranked[0]!, ranked, whole)
  return [narrowed, ...ranked.filter((one) => one !== narrowed)]
}

/** What best explains the failures outside the first explanation; null where hardly any are left or nothing explains them. */
function secondCause(
  cells: readonly ContrastCell[],
  attributes: readonly number[],
  first: Conjunction,
  whole: Counts,
): Ranked | null {
  const rest = cells.filter(({ values }) => !first.conditions.every(({ attribute, value }) => values[attribute] === value))
  const left = wholeOf(rest)
  if (left.failing < FAILING_MIN || left.failing >= left.total) return null
  const [found] = inOrder(rankAll(rest, attributes, left))
  if (!found || found.failing - found.total * restRate(found, left) < SECOND_SHARE_MIN * whole.failing) return null
  return { ...found, ...countOf(cells, found) }
}

interface AllRanked {
  ranked: Ranked[]
  whole: Counts
}

function rankAll(cells: readonly ContrastCell[], attributes: readonly number[], whole: Counts): AllRanked {
  const { conjunctions, tries } = countConjunctions(cells, attributes, CONDITIONS_MAX)
  const ranked = rank(conjunctions, whole)
  const chances = adjustP(
    ranked.map((one) => gTest(tableOf(one, whole)).p),
    tries,
  )
  for (const [at, one] of ranked.entries()) one.pAdjusted = Math.min(1, chances[at]!)
  return { ranked, whole }
}

interface Counts {
  failing: number
  total: number
}

interface Condition {
  attribute: number
  value: string
}

interface Conjunction extends Counts {
  conditions: Condition[]
}

interface Ranked extends Conjunction {
  score: number
  pAdjusted: number
}

function wholeOf(cells: readonly ContrastCell[]): Counts {
  return cells.reduce((sum, { failing, total }) => ({ failing: sum.failing + failing, total: sum.total + total }), {
    failing: 0,
    total: 0,
  })
}

function countOf(cells: readonly ContrastCell[], { conditions }: Conjunction): Counts {
  return wholeOf(cells.filter(({ values }) => conditions.every(({ attribute, value }) => values[attribute] === value)))
}

function tellingAttributes(cells: readonly ContrastCell[], whole: Counts): number[] {
  const all = (cells[0]?.values ?? []).map((_, attribute) => attribute)
  if (all.length <= COMBINED_MAX) return all
  const best = new Map<number, number>()
  for (const { conditions, score } of rank(countConjunctions(cells, all, 1).conjunctions, whole)) {
    const { attribute } = conditions[0]!
    if (!best.has(attribute)) best.set(attribute, score)
  }
  const order = [...best].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  return order
    .slice(0, COMBINED_MAX)
    .map(([attribute]) => attribute)
    .sort((a, b) => a - b)
}

interface Counted {
  conjunctions: Conjunction[]
  /** Conjunctions that hold of a failing record: each was looked at. */
  tries: number
}

/**
 * Those of which enough records fail. Failing records say which there are; of the others only what can still be one is counted: no
 * conjunction fails more often than a part of it.
 */
function countConjunctions(cells: readonly ContrastCell[], attributes: readonly number[], conditionsMax: number): Counted {
  const found: Conjunction[] = []
  const places = new Map<number, number>()
  const { conditions, coded } = codeValues(cells, attributes)
  const base = conditions.length + 1
  const name = (codes: readonly number[], from: number, key: number, before: readonly Condition[], failing: number) => {
    for (let i = from; i < codes.length; i++) {
      const longer = key * base + codes[i]! + 1
      let place = places.get(longer)
      if (place === undefined) {
        place = found.push({ conditions: [...before, conditions[codes[i]!]!], failing: 0, total: 0 }) - 1
        places.set(longer, place)
      }
      const one = found[place]!
      one.failing += failing
      if (one.conditions.length < conditionsMax) name(codes, i + 1, longer, one.conditions, failing)
    }
  }
  const count = (codes: readonly number[], from: number, key: number, total: number) => {
    for (let i = from; i < codes.length; i++) {
      const longer = key * base + codes[i]! + 1
      const place = places.get(longer)
      if (place === undefined) continue
      const one = found[place]!
      if (one.failing < FAILING_MIN) continue
      one.total += total
      if (one.conditions.length < conditionsMax) count(codes, i + 1, longer, total)
    }
  }
  for (const [at, { failing }] of cells.entries()) if (failing > 0) name(coded[at]!, 0, 0, [], failing)
  for (const [at, { total }] of cells.entries()) count(coded[at]!, 0, 0, total)
  return { conjunctions: found.filter(({ failing }) => failing >= FAILING_MIN), tries: found.length }
}

/** Numbers for the values that records have: three of them fit one number, however many there are. */
function codeValues(cells: readonly ContrastCell[], attributes: readonly number[]) {
  const conditions: Condition[] = []
  const codes = attributes.map(() => new Map<string, number>())
  const codeOf = (value: string, n: number): number => {
    const known = codes[n]!.get(value)
    if (known !== undefined) return known
    const code = conditions.push({ attribute: attributes[n]!, value }) - 1
    codes[n]!.set(value, code)
    return code
  }
  const coded = cells.map(({ values }) =>
    attributes.flatMap((attribute, n) => {
      const value = values[attribute]
      return value === null || value === undefined ? [] : [codeOf(value, n)]
    }),
  )
  return { conditions, coded }
}

/** Those that fail more than the rest, best first. */
function rank(conjunctions: readonly Conjunction[], whole: Counts): Ranked[] {
  const ranked: Ranked[] = []
  for (const one of conjunctions) {
    const expected = one.total * restRate(one, whole)
    if (one.failing <= expected) continue
    const ratio = 2 * (one.failing * Math.log(one.failing / expected) - (one.failing - expected))
    const cover = (one.failing / whole.failing) ** COVER_WEIGHT
    ranked.push({ ...one, score: Math.sqrt(ratio) * cover * Math.exp(-CONDITION_COST * one.conditions.length), pAdjusted: 1 })
  }
  return ranked.sort((a, b) => b.score - a.score || (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** Decides between equal scores. */
function nameOf({ conditions }: Conjunction): string {
  return JSON.stringify(conditions)
}

/** Failure rate of the records outside, never zero: half a failure is always thinkable. */
function restRate(one: Counts, whole: Counts): number {
  const others = whole.total - one.total
  return Math.max(others > 0 ? (whole.failing - one.failing) / others : 0, 0.5 / whole.total)
}

function narrow(first: Ranked, ranked: readonly Ranked[], whole: Counts): Ranked {
  let current = first
  for (;;) {
    const rest = restRate(current, whole)
    const rate = current.failing / current.total
    const excess = current.failing - current.total * rest
    const loosesNothing = (one: Ranked): boolean => {
      const left = current.total - one.total
      const leftRate = left > 0 ? (current.failing - one.failing) / left : Number.POSITIVE_INFINITY
      return one.failing - one.total * rest >= EXCESS_KEPT * excess && leftRate < rest + REMAINDER_MAX * (rate - rest)
    }
    const narrower = ranked.find((one) => isOneNarrower(one, current) && loosesNothing(one))
    if (!narrower) return current
    current = narrower
  }
}

function isOneNarrower(one: Conjunction, than: Conjunction): boolean {
  if (one.conditions.length !== than.conditions.length + 1) return false
  return than.conditions.every((wanted) => one.conditions.some((own) => isSame(own, wanted)))
}

const isSame = (a: Condition, b: Condition) => a.attribute === b.attribute && a.value === b.value

function tableOf(one: Counts, whole: Counts) {
  const healthy = one.total - one.failing
  return [
    [one.failing, healthy],
    [whole.failing - one.failing, whole.total - whole.failing - healthy],
  ] as const
}

function show({ conditions, failing, total, pAdjusted }: Ranked, whole: Counts): Explanation {
  const othersFailing = whole.failing - failing
  return {
    conditions,
    failing,
    total,
    shareFailing: failing / whole.failing,
    shareHealthy: (total - failing) / (whole.total - whole.failing),
    lift: othersFailing > 0 ? failing / total / (othersFailing / (whole.total - total)) : null,
    pAdjusted,
  }
}
