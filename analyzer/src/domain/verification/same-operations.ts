/** Weight of a run of an operation on each side; operations that did not run on both have none. */
export type OperationWeights = ReadonlyMap<number, { before: number; after: number }>

/** Runs of one operation on both sides. */
export interface OperationRuns {
  operation: number
  before: number
  after: number
}

/**
 * Weights that make both sides run each operation equally often (Mantel and Haenszel's): more calls of a path that never fails are no fix,
 * and one that was not called again says nothing. They leave the sides as large as they are. null where there is only one operation.
 */
export function operationWeights(operations: readonly OperationRuns[]): OperationWeights | null {
  if (operations.filter(({ before, after }) => before > 0 || after > 0).length <= 1) return null
  const common = operations.filter(({ before, after }) => before > 0 && after > 0)
  const shared = common.map((one) => ({ ...one, weight: (one.before * one.after) / (one.before + one.after) }))
  const sum = (of: (one: (typeof shared)[number]) => number) => shared.reduce((total, one) => total + of(one), 0)
  const all = sum(({ weight }) => weight)
  const [perBefore, perAfter] = [sum(({ before }) => before) / all, sum(({ after }) => after) / all]
  return new Map(
    shared.map(({ operation, before, after, weight }) => [
      operation,
      { before: (weight * perBefore) / before, after: (weight * perAfter) / after },
    ]),
  )
}
