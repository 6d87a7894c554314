/** One measure of a public set, or of a simulation: what others reached, what is aimed at, what the product does. */
export interface Measure {
  name: string
  /** What was published, or measured with other tools. */
  published: string
  figures: Figure[]
  /** Anything else that a reader should know of how it was measured. */
  note?: string
}

export interface Figure {
  name: string
  value: number
  target: Target
  /** Where the target is missed: the value below which it must not fall again. The table still says that it is missed. */
  floor?: number
}

export type Target = { atLeast: number } | { atMost: number } | { below: number }

/** How far the figure is from its target; 0 where it is met. */
export function shortfall({ value, target }: Figure): number {
  if (Number.isNaN(value)) return Number.POSITIVE_INFINITY
  if ('atLeast' in target) return Math.max(0, target.atLeast - value)
  return Math.max(0, value - ('atMost' in target ? target.atMost : target.below))
}

export function isMet(figure: Figure): boolean {
  if ('below' in figure.target) return figure.value < figure.target.below
  return shortfall(figure) === 0
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
