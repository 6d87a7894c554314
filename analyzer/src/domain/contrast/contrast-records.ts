import { type AttributeRow, chooseAttributes, DERIVED_MARK } from './contrast-attributes.ts'
import { type ContrastCell, type Explanation, explainFailures, saysTheSame } from './explain-failures.ts'

/** Attribute values that set failing records apart from healthy ones of the same operation. */
export interface Contrast {
  attributes: Record<string, unknown>
  /** Of the failing, and of the healthy records that were compared. */
  share_failing: number
  share_healthy: number
  /** The first share over the second; where no healthy record has the values, over half a record. */
  lift: number
  /** Records compared, failing and healthy. */
  n: number
  p_adjusted: number
  /** Failing records that have the values, and healthy ones that have them too. */
  examples: string[]
  counter_examples: string[]
}

export type NoContrast = 'no_contrast_samples' | 'unexplained' | 'not_ranked'

export interface ContrastRecord {
  recordId: string
  attributes: AttributeRow
}

export interface Contrasts {
  contrasts: Contrast[] | null
  reason: NoContrast | null
}

/** Fewer of either side say nothing. */
const SAMPLES_MIN = 5
const EXPLANATIONS_MAX = 3
const P_MAX = 0.01
const LIFT_MIN = 1.5
/** What explains fewer of the failures, all answers together, is a remark, not an explanation. */
const EXPLAINED_MIN = 0.5
const EXAMPLES_MAX = 5
const COUNTER_EXAMPLES_MAX = 2
const DIGITS = 1e4

/** What the failing records of a pain share that healthy ones do not. Records come in their order of preference as examples. */
export function contrastRecords(failing: readonly ContrastRecord[], healthy: readonly ContrastRecord[]): Contrasts {
  if (failing.length < SAMPLES_MIN || healthy.length < SAMPLES_MIN) return { contrasts: null, reason: 'no_contrast_samples' }
  const names = chooseAttributes(
    failing.map(({ attributes }) => attributes),
    healthy.map(({ attributes }) => attributes),
  )
  const explained = explainFailures(cellsOf(failing, healthy, names), { explanationsMax: EXPLANATIONS_MAX })
  const shown = explained
    .filter((one, at) => !explained.some((wider, n) => n < at && saysTheSame(one, wider)))
    .map((one) => ({ one, contrast: toContrast(one, names, { failing, healthy }) }))
    .filter(({ one, contrast }) => one.pAdjusted <= P_MAX && contrast.lift >= LIFT_MIN)
  const contrasts = shown.map(({ contrast }) => contrast)
  // Two causes explain together what each explains in part.
  const explainedCount = failing.filter((record) => shown.some(({ one }) => meets(record, one, names))).length
  return explainedCount < EXPLAINED_MIN * failing.length ? { contrasts: [], reason: 'unexplained' } : { contrasts, reason: null }
}

/** Records with the same values are one cell: what is compared is counted, not listed. */
function cellsOf(
  failing: readonly ContrastRecord[],
  healthy: readonly ContrastRecord[],
  names: readonly string[],
): ContrastCell[] {
  const cells = new Map<string, ContrastCell>()
  const add = ({ attributes }: ContrastRecord, isFailing: number) => {
    const values = names.map((name) => attributes.get(name) ?? null)
    const key = JSON.stringify(values)
    const cell = cells.get(key) ?? { values, failing: 0, total: 0 }
    cells.set(key, { values, failing: cell.failing + isFailing, total: cell.total + 1 })
  }
  for (const record of failing) add(record, 1)
  for (const record of healthy) add(record, 0)
  return [...cells.values()]
}

function meets({ attributes }: ContrastRecord, { conditions }: Explanation, names: readonly string[]): boolean {
  return conditions.every(({ attribute, value }) => attributes.get(names[attribute]!) === value)
}

function toContrast(
  one: Explanation,
  names: readonly string[],
  { failing, healthy }: { failing: readonly ContrastRecord[]; healthy: readonly ContrastRecord[] },
): Contrast {
  const { conditions, shareFailing, shareHealthy, pAdjusted } = one
  const idsOf = (records: readonly ContrastRecord[], most: number) =>
    records
      .filter((record) => meets(record, one, names))
      .slice(0, most)
      .map(({ recordId }) => recordId)
  const shown = conditions.map(
    ({ attribute, value }) => [names[attribute]!.replace(DERIVED_MARK, ''), JSON.parse(value)] as const,
  )
  return {
    attributes: Object.fromEntries(shown),
    share_failing: round(shareFailing),
    share_healthy: round(shareHealthy),
    lift: round(shareFailing / Math.max(shareHealthy, 0.5 / healthy.length)),
    n: failing.length + healthy.length,
    p_adjusted: Number(pAdjusted.toPrecision(3)),
    examples: idsOf(failing, EXAMPLES_MAX),
    counter_examples: idsOf(healthy, COUNTER_EXAMPLES_MAX),
  }
}

function round(share: number): number {
  return Math.round(share * DIGITS) / DIGITS
}
