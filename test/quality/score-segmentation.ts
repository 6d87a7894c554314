/** Score of a segmentation after van den Burg and Williams (2020), against the marks of several people. */
export function scoreCover(people: readonly (readonly number[])[], found: readonly number[], length: number): number {
  const stretches = cut(found, length)
  const scores = people.map((marks) => {
    let sum = 0
    for (const [from, to] of cut(marks, length)) {
      const overlaps = stretches.map(([start, end]) => {
        const both = Math.max(0, Math.min(to, end) - Math.max(from, start))
        return both / (Math.max(to, end) - Math.min(from, start))
      })
      sum += (to - from) * Math.max(...overlaps)
    }
    return sum / length
  })
  return scores.reduce((sum, score) => sum + score, 0) / people.length
}

/** F1 with a margin of five places; the start counts as a mark of everybody. */
export function scoreF1(people: readonly (readonly number[])[], found: readonly number[]): number {
  const own = [...new Set([0, ...found])]
  const marks = people.map((one) => [...new Set([0, ...one])])
  const precision = hits([...new Set(marks.flat())], own) / own.length
  const recall = marks.reduce((sum, one) => sum + hits(one, own) / one.length, 0) / marks.length
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0
}

const MARGIN = 5

function hits(marks: readonly number[], found: readonly number[]): number {
  const left = new Set(found)
  let count = 0
  for (const mark of [...marks].sort((a, b) => a - b)) {
    const near = [...left].filter((one) => Math.abs(one - mark) <= MARGIN).sort((a, b) => Math.abs(a - mark) - Math.abs(b - mark))
    if (near.length === 0) continue
    left.delete(near[0]!)
    count++
  }
  return count
}

function cut(marks: readonly number[], length: number): [number, number][] {
  const bounds = [...new Set([0, ...marks.filter((mark) => mark > 0 && mark < length), length])].sort((a, b) => a - b)
  return bounds.slice(1).map((to, i) => [bounds[i]!, to])
}
