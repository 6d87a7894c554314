import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import type { AdmittedBody } from '../admit/admission.ts'
import { createKeyUses } from '../admit/key-uses.ts'
import { createLedger } from '../admit/ledger.ts'
import { CommitQueue } from './commit-queue.ts'
import type { CommitGroup } from './messages.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

// A moment passes when the test says so: on a busy machine it is over before it is looked at.
beforeAll(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] }))
afterAll(() => void jest.useRealTimers())

function body(bytes: number): AdmittedBody {
  return {
    owner: 1,
    projectNo: 1,
    recordKind: 'span',
    body: new Uint8Array(bytes),
    spans: 1,
    newSpans: 1,
    replaced: new Uint8Array(0),
    traces: new Uint32Array(0),
    ledger: new Map(),
    dependsOn: new Set(),
    state: 'pending',
    commit: null,
    places: new Uint32Array(0),
    overtaken: [],
  }
}

/** A queue whose writer answers when it is told to, and the sizes of the groups it got. */
function setUp(bytes: number, ledger = createLedger()) {
  const groups: CommitGroup[] = []
  const queue = new CommitQueue({
    port: { post: (group) => groups.push(group) },
    ledger,
    keyUses: createKeyUses(() => 0),
    events: { onCommitted: () => {}, onRevoked: () => {}, onGroup: () => {} },
    endedBecause: () => null,
    monotonicMs: () => 0,
  })
  const push = (count: number) => {
    for (let i = 0; i < count; i++) queue.push(body(bytes))
  }
  const answer = () =>
    queue.onReply({
      kind: 'committed',
      group: groups.length,
      commit: 1,
      receivedMs: 0,
      failed: [],
      failure: null,
      redacted: 0,
      timings: { readMs: 0, writeMs: 0, syncMs: 0 },
    })
  return { queue, push, answer, groups, sizes: () => groups.map(({ bodies }) => bodies.length) }
}

test('a body that comes alone is committed at the end of its turn', async () => {
  const { push, sizes } = setUp(5000)
  push(1)
  await turn()
  expect(sizes()).toEqual([1])
})

test('after a commit of several small bodies the next one waits until as many are there', async () => {
  const { push, answer, sizes } = setUp(5000)
  push(5)
  await turn()
  push(3)
  answer()
  push(1)
  await turn()
  expect(sizes()).toEqual([5])
  push(1)
  await turn()
  expect(sizes()).toEqual([5, 5])
})

test('it waits for a moment only', async () => {
  const { queue, push, answer, sizes } = setUp(5000)
  push(5)
  await turn()
  answer()
  push(1)
  jest.advanceTimersByTime(1)
  expect(sizes()).toEqual([5, 1])
  answer()
  await queue.idle()
})

test.each([
  ['large bodies', 100_000, 5],
  ['few bodies', 5000, 3],
])('after %s it does not wait', async (_, bytes, count) => {
  const { push, answer, sizes } = setUp(bytes)
  push(count)
  await turn()
  push(1)
  answer()
  expect(sizes()).toEqual([count, 1])
})

test('becoming idle waits for what is held', async () => {
  const { queue, push, answer, sizes } = setUp(5000)
  push(5)
  await turn()
  push(1)
  answer()
  const idle = queue.idle()
  expect(sizes()).toEqual([5, 1])
  answer()
  await idle
})

test('counts that come without a body are written at once, and waited for', async () => {
  const ledger = createLedger()
  const { queue, answer, groups } = setUp(5000, ledger)
  ledger.add(1, 'deduplicated', 3)
  let isCounted = false
  const counted = queue.counted().then(() => {
    isCounted = true
  })
  await turn()
  expect(groups.map((group) => group.ledger)).toEqual([[[1, 'deduplicated', 3]]])
  ledger.add(1, 'deduplicated', 1)
  const later = queue.counted()
  expect(isCounted).toBe(false)
  answer()
  await counted
  expect(groups).toHaveLength(2)
  answer()
  await later
})
