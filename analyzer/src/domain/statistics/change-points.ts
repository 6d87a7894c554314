/** Fewest values between two change points. */
const STRETCH_MIN = 3
/** What a change point, and what a slope instead of a level, must gain: so many times the logarithm of the series' length. */
const CHANGE_COST = 4
const SLOPE_COST = 3
/** Real series wander: their noise counts as this many times what neighbours differ by … */
const NOISE_FACTOR = 3
/** … and as at least this share of the whole variance. */
const NOISE_MIN = 0.05
/** Median absolute deviation to standard deviation, for normal noise. */
const MAD_TO_DEVIATION = 1.4826

/**
 * Where a series changes: places at which a new stretch begins, in order, none of them 0. Optimal partitioning (Jackson et al. 2005)
 * into stretches that are level or, where it pays, a straight line, so that a trend is not cut into steps. Several dimensions change
 * together. Its cost is the square of the length; values must be finite.
 */
export function changePoints(series: readonly (readonly number[])[]): number[] {
  const length = series[0]?.length ?? 0
  if (length < 2 * STRETCH_MIN) return []
  const sums = series.map((values) => runningSums(standardized(values)))
  const noise = Math.max(NOISE_MIN, NOISE_FACTOR * neighbourNoise(series))
  const changeCost = CHANGE_COST * Math.log(length)
  const slopeCost = SLOPE_COST * Math.log(length)
  const least = new Float64Array(length + 1).fill(Number.POSITIVE_INFINITY)
  const began = new Int32Array(length + 1)
  least[0] = -changeCost
  for (let to = STRETCH_MIN; to <= length; to++) {
    for (let from = 0; from <= to - STRETCH_MIN; from++) {
      if (least[from] === Number.POSITIVE_INFINITY) continue
      const { level, line } = residuals(sums, from, to)
      const cost = least[from]! + changeCost + Math.min(level / noise, line / noise + slopeCost)
      if (cost >= least[to]!) continue
      least[to] = cost
      began[to] = from
    }
  }
  const found: number[] = []
  for (let at = began[length]!; at > 0; at = began[at]!) found.push(at)
  return found.reverse()
}

interface Sums {
  value: Float64Array
  square: Float64Array
  byPlace: Float64Array
}

function standardized(raw: readonly number[]): number[] {
  // By a power of two, which rounds nothing: the squares of very large or small values would be no numbers any more.
  const largest = raw.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const exponent = largest > 0 ? Math.floor(Math.log2(largest)) : 0
  const values = raw.map((value) => value * 2 ** -Math.trunc(exponent / 2) * 2 ** -(exponent - Math.trunc(exponent / 2)))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  const deviation = Math.sqrt(variance) || 1
  return values.map((value) => (value - mean) / deviation)
}

function runningSums(values: readonly number[]): Sums {
  const empty = () => new Float64Array(values.length + 1)
  const sums = { value: empty(), square: empty(), byPlace: empty() }
  values.forEach((value, i) => {
    sums.value[i + 1] = sums.value[i]! + value
    sums.square[i + 1] = sums.square[i]! + value * value
    sums.byPlace[i + 1] = sums.byPlace[i]! + i * value
  })
  return sums
}

/** Squares left by the best level and by the best line. */
function residuals(all: readonly Sums[], from: number, to: number): { level: number; line: number } {
  const count = to - from
  const places = ((from + to - 1) * count) / 2
  const spread = (count * (count * count - 1)) / 12
  let level = 0
  let line = 0
  for (const { value, square, byPlace } of all) {
    const sum = value[to]! - value[from]!
    const left = square[to]! - square[from]! - (sum * sum) / count
    const slope = byPlace[to]! - byPlace[from]! - (places * sum) / count
    level += left
    line += Math.max(0, left - (slope * slope) / spread)
  }
  return { level, line }
}

/** Variance of the standardized noise, from what neighbours differ by, so that neither steps nor slopes count. */
function neighbourNoise(series: readonly (readonly number[])[]): number {
  const variances = series.map((raw) => {
    const values = standardized(raw)
    const steps = values.slice(1).map((value, i) => Math.abs(value - values[i]!))
    const median = steps.sort((a, b) => a - b)[steps.length >> 1]!
    return (median * MAD_TO_DEVIATION) ** 2 / 2
  })
  return variances.reduce((sum, variance) => sum + variance, 0) / variances.length
}
