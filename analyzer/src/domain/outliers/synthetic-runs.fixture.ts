import { binOf, createSketch } from '@loopkit/shared/rollup/sketch'
import type { RunsOfTime } from './judge-outliers.ts'
import { stepsOfSketch, sumSteps } from './value-steps.ts'

/** Uniform in (0, 1), from a seed. */
export type Random = () => number

/** How long healthy runs of an operation take, in ms; `hour` since the first. */
export interface Shape {
  name: string
  /** Runs in this hour. */
  runs(hour: number, random: Random): number
  /** One run; `share` of the hour has passed. */
  run(hour: number, random: Random, share: number): number
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
}

const lognormal = (middle: number, sigma: number) => (random: Random) => middle * Math.exp(sigma * normal(random))
const pareto = (least: number, alpha: number) => (random: Random) => least * random() ** (-1 / alpha)
const steady = (perHour: number) => () => perHour
/** Waves of traffic by hour of day, busier by day. */
const byDay = (hour: number, low: number, high: number) =>
  low + ((high - low) * (1 - Math.cos(((hour % 24) / 24) * 2 * Math.PI))) / 2

const LOGNORMAL = [0.3, 0.6, 1, 1.5].flatMap((sigma) =>
  [20, 200, 2000].map(
    (perHour): Shape => ({
      name: `lognormal σ ${sigma}, ${perHour} runs an hour`,
      runs: steady(perHour),
      run: (_hour, random) => lognormal(200, sigma)(random),
    }),
  ),
)

/** Shapes of healthy traffic. */
export const HEALTHY_SHAPES: readonly Shape[] = [
  ...LOGNORMAL,
  ...[0.03, 0.1, 0.4].map(
    (misses): Shape => ({
      name: `cache that misses ${misses * 100} %`,
      runs: steady(400),
      run: (_hour, random) => (random() < misses ? lognormal(400, 0.4)(random) : lognormal(20, 0.3)(random)),
    }),
  ),
  ...[1.2, 2].map(
    (alpha): Shape => ({ name: `Pareto α ${alpha}`, runs: steady(300), run: (_hour, random) => pareto(100, alpha)(random) }),
  ),
  {
    name: 'twice as slow by day as by night',
    runs: (hour) => Math.round(byDay(hour, 50, 800)),
    run: (hour, random) => lognormal(byDay(hour, 150, 300), 0.5)(random),
  },
  {
    name: 'a batch every night that takes four times as long',
    runs: (hour) => (hour % 24 === 2 ? 1500 : 200),
    run: (hour, random) => lognormal(hour % 24 === 2 ? 800 : 200, 0.4)(random),
  },
  {
    name: 'warm-up after a daily release: the first 3 % of an hour take four times as long',
    runs: steady(500),
    run: (hour, random, share) => lognormal(hour % 24 === 10 && share < 0.03 ? 800 : 200, 0.4)(random),
  },
  {
    name: 'load that wanders: each hour up to 1.3 times slower or faster',
    runs: steady(300),
    run: (hour, random) => lognormal(200 * 1.3 ** Math.sin(hour * 12.9898 + Math.sin(hour * 78.233) * 43.7), 0.5)(random),
  },
  {
    name: 'few runs: three an hour',
    runs: steady(3),
    run: (_hour, random) => lognormal(500, 0.8)(random),
  },
  {
    name: 'weekdays only',
    runs: (hour) => (Math.floor(hour / 24) % 7 < 5 ? Math.round(byDay(hour, 10, 400)) : 2),
    run: (_hour, random) => lognormal(300, 0.6)(random),
  },
]

/** What is planted in hours from one on. */
export interface Fault {
  name: string
  run(value: number, random: Random): number
}

export const FAULTS: readonly Fault[] = [
  { name: '3 % of runs five times slower', run: (value, random) => (random() < 0.03 ? value * 5 : value) },
  { name: 'all runs three times slower', run: (value) => value * 3 },
]

/** Hours of an operation, each with its runs; the fault shows in its hours. */
export function synthesizeHours(
  shape: Shape,
  { hours, seed, fault, faultyHours }: { hours: number; seed: number; fault?: Fault; faultyHours?: readonly [number, number] },
): RunsOfTime[] {
  const random = createRandom(seed)
  return Array.from({ length: hours }, (_, hour) => {
    const sketch = createSketch()
    const runs = shape.runs(hour, random)
    const isFaulty = fault && faultyHours && hour >= faultyHours[0] && hour < faultyHours[1]
    for (let n = 0; n < runs; n++) {
      const value = shape.run(hour, random, n / runs)
      sketch.add(binOf(Math.round(isFaulty ? fault.run(value, random) : value)), 1)
    }
    return { bucket: 480_000 + hour, steps: stepsOfSketch(sketch) }
  })
}

export function toDays(hours: readonly RunsOfTime[]): RunsOfTime[] {
  return [...Map.groupBy(hours, ({ bucket }) => Math.floor(bucket / 24))].map(([bucket, own]) => ({
    bucket,
    steps: sumSteps(own.map(({ steps }) => steps)),
  }))
}
