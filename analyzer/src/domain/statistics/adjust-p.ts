/**
 * Benjamini and Hochberg's adjusted p-values, in the given order: what is at most q among them has a share of false
 * discoveries of at most q. `tries` counts those too that are not given, since they say nothing.
 */
export function adjustP(values: readonly number[], tries = values.length): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!)
  const adjusted = new Array<number>(values.length)
  let smallest = 1
  order.forEach((at, n) => {
    smallest = Math.min(smallest, (values[at]! * tries) / (values.length - n))
    adjusted[at] = smallest
  })
  return adjusted
}
