/**
 * Benjamini and Hochberg's adjusted p-values, in the given order: what is at most q among them has a share of false
 * discoveries of at most q.
 */
export function adjustP(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!)
  const adjusted = new Array<number>(values.length)
  let smallest = 1
  order.forEach((at, n) => {
    smallest = Math.min(smallest, (values[at]! * values.length) / (values.length - n))
    adjusted[at] = smallest
  })
  return adjusted
}
