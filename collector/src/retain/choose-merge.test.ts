import { expect, test } from '@jest/globals'
import { chooseMerge, type MergeCandidate } from './choose-merge.ts'

const HOUR_MS = 3_600_000

/** Segments of so many records, one commit each, a second apart. */
function segments(sizes: readonly number[], more: (n: number) => Partial<MergeCandidate> = () => ({})): MergeCandidate[] {
  return sizes.map((records, n) => ({
    segmentId: n,
    firstCommit: n,
    lastCommit: n,
    records,
    bodyBytes: records * 500,
    storedBytes: records * 50,
    receivedMinMs: n * 1000,
    receivedMaxMs: n * 1000,
    ...more(n),
  }))
}

const many = (count: number, size: number) => Array.from({ length: count }, () => size)

test.each<[string, MergeCandidate[], number, [ids: number[], isFinal: boolean] | null]>([
  ['nothing is joined where nothing is', [], 0, null],
  ['a few small ones wait for more', segments(many(15, 10)), 0, null],
  ['sixteen small ones are joined', segments(many(16, 10)), 0, [ids(0, 16), false]],
  ['a larger one before them is left alone', segments([2000, ...many(16, 10)]), 0, [ids(1, 17), false]],
  ['one that is no larger than they are together is taken along', segments([300, ...many(20, 20)]), 0, [ids(0, 21), false]],
  ['enough for a whole one is joined for good', segments(many(7, 512)), 0, [ids(0, 7), true]],
  ['what does not fit any more stays for the next', segments(many(10, 512)), 0, [ids(0, 8), true]],
  ['a large one alone is done', segments([20_000, 10]), 0, [[0], true]],
  ['large bodies count as well as many records', segments([10, 10, 10], () => ({ bodyBytes: 2_000_000 })), 0, [[0, 1], true]],
  ['what is old enough is joined, however little', segments([10, 10]), 7 * HOUR_MS, [[0, 1], true]],
  ['what arrived far apart is not joined', segments([10, 10, 10], (n) => arrived(n === 2 ? 7 * HOUR_MS : 0)), 0, [[0, 1], true]],
  ['more than one transaction takes are joined in parts, the oldest first', segments(many(300, 13)), 0, [ids(0, 48), false]],
  ['parts are made of small ones', segments([1000, 1000, ...many(150, 13)]), 0, [ids(2, 50), false]],
])('%s', (_, candidates, nowMs, expected) => {
  const choice = chooseMerge(candidates, nowMs)
  expect(choice && [choice.join.map(({ segmentId }) => segmentId), choice.isFinal]).toEqual(expected)
})

test('whatever comes, a record is rewritten a few times only, and few segments are left', () => {
  let seed = 7
  const random = (max: number) => {
    seed = (seed * 16_807) % 2_147_483_647
    return 1 + (seed % max)
  }
  for (const max of [1, 10, 100, 700]) {
    let open: MergeCandidate[] = []
    let rewritten = 0
    let accepted = 0
    let final = 0
    for (let commit = 1; commit <= 20_000 / Math.sqrt(max); commit++) {
      const records = random(max)
      accepted += records
      open.push({ ...segments([records])[0]!, segmentId: commit, firstCommit: commit, lastCommit: commit })
      for (let choice = chooseMerge(open, 0); choice; choice = chooseMerge(open, 0)) {
        const { join, isFinal } = choice
        const sum = join.reduce((total, one) => total + one.records, 0)
        rewritten += sum
        const at = open.indexOf(join[0]!)
        const joined = { ...join[0]!, records: sum, bodyBytes: sum * 500, lastCommit: join.at(-1)!.lastCommit }
        if (isFinal) open = open.slice(at + join.length)
        else open = [...open.slice(0, at), joined, ...open.slice(at + join.length)]
        if (isFinal) final++
      }
      expect(open.length).toBeLessThan(80)
    }
    expect([max, rewritten / accepted < 12, final >= Math.floor(accepted / 4500) - 1]).toEqual([max, true, true])
  }
})

function ids(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n)
}

function arrived(ms: number): Partial<MergeCandidate> {
  return { receivedMinMs: ms, receivedMaxMs: ms }
}
