import type { Random } from '../demo/random.ts'

/** A whole number below `bound`; 0 where there is none. */
export const below = (random: Random, bound: number): number => (bound <= 0 ? 0 : Math.floor(random() * bound))

export const chance = (random: Random, share: number): boolean => random() < share

/** One of the list, drawn. */
export const oneOf = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!
