import { expect, test } from '@jest/globals'
import { createGroupPacker, GROUP_BYTES, movedBuffers, unpackGroup } from './group-memory.ts'
import type { BodyToCommit, CommitGroup } from './messages.ts'

function body(projectNo: number, length: number, traces: number[], replaced: number[] = []): BodyToCommit {
  return {
    projectNo,
    recordKind: replaced.length > 0 ? 'log' : 'span',
    body: Uint8Array.from({ length }, (_, i) => (i * 7 + projectNo) & 0xff),
    spans: length + 1,
    newSpans: length,
    replaced: Uint8Array.from(replaced),
    traces: Uint32Array.from(traces),
    ledger: replaced.length > 0 ? [['replaced', 1]] : [],
  }
}

function group(...bodies: BodyToCommit[]): CommitGroup {
  return { kind: 'commit', group: 3, bodies, ledger: [[1, 'conflict', 2]], keyUses: [[Uint8Array.of(9), 5]] }
}

test.each([
  ['no body', group()],
  ['one body', group(body(1, 10, [1, 2]))],
  ['odd lengths', group(body(1, 3, [1, 2], [1, 2, 3]), body(1, 5, [3, 4, 5, 6]), body(1, 0, []))],
  ['projects in turn', group(body(2, 9, [1, 2]), body(1, 4, []), body(2, 1, [7, 8], [4]), body(70_000, 2, [1, 1]))],
])('the writer gets what was handed over: %s', (_, sent) => {
  const packer = createGroupPacker(new SharedArrayBuffer(GROUP_BYTES))
  packer.pack(group(body(5, 100, [9, 9, 9, 9], [1])))
  expect(unpackGroup(packer.pack(sent))).toEqual(sent)
})

test('a group larger than what is kept', () => {
  const large = body(1, 6_000_000, [1, 2])
  const { bodies } = unpackGroup(createGroupPacker(new SharedArrayBuffer(GROUP_BYTES)).pack(group(large, body(2, 7, [3, 4]))))
  expect(Buffer.compare(bodies[0]!.body, large.body)).toBe(0)
  expect(bodies[1]).toEqual(body(2, 7, [3, 4]))
})

test('a large body that is alone is not copied', () => {
  const large = body(1, 1_200_000, [1, 2], [7])
  const packed = createGroupPacker(new SharedArrayBuffer(GROUP_BYTES)).pack(group(large))
  expect(movedBuffers(packed)).toEqual([large.body.buffer])
  expect(unpackGroup(packed).bodies[0]).toEqual(large)
})

test('bodies of one project and kind lie one behind the other, in their order', () => {
  const logs = body(2, 2, [], [1])
  const { bodies } = unpackGroup(
    createGroupPacker(new SharedArrayBuffer(GROUP_BYTES)).pack(group(body(2, 5, []), logs, body(1, 3, []), body(2, 4, []))),
  )
  const first = bodies[2]!.body.byteOffset
  expect(bodies.map((one) => one.body.byteOffset - first)).toEqual([3, 12, 0, 8])
})
