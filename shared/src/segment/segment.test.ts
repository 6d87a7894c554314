import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeTraces } from '../otlp/decode-traces.ts'
import { encodeTraces } from '../otlp/encode-traces.ts'
import { arbitraryRequest } from '../otlp/fixtures/arbitrary-spans.ts'
import { createCommitOfRow, decodeCommits, encodeCommits, type SegmentCommit } from './header.ts'
import { packSegment, SegmentError, unpackSegment } from './pack-segment.ts'
import { hasTraceHash, packTraceHashes } from './trace-hashes.ts'

const MIB = 1024 * 1024

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof SegmentError) return error.code
    throw error
  }
}

describe('the body', () => {
  test('several requests come back as one request with all their spans', () => {
    fc.assert(
      fc.property(fc.array(arbitraryRequest, { minLength: 1, maxLength: 3 }), (requests) => {
        const segment = packSegment(requests.map(encodeTraces))
        if (requests.flat().length > 0) expect([...decodeTraces(unpackSegment(segment, MIB))]).toEqual(requests.flat())
      }),
      { numRuns: 50 },
    )
  })

  test('no bodies, empty ones and large ones', () => {
    const large = new Uint8Array(9 * MIB).map((_, i) => i * 7)
    expect(unpackSegment(packSegment([]), MIB)).toHaveLength(0)
    expect(unpackSegment(packSegment([new Uint8Array(0)]), MIB)).toHaveLength(0)
    expect(Buffer.compare(unpackSegment(packSegment([large], 3), 9 * MIB), large)).toBe(0)
  })

  test('one that would grow beyond the limit is refused, not unpacked', () => {
    expect(codeOf(() => unpackSegment(packSegment([new Uint8Array(2 * MIB)]), MIB))).toBe('too_large')
  })

  test('damage is found', () => {
    const segment = packSegment([encodeTraces([]), Uint8Array.from({ length: 500 }, (_, i) => i * i)])
    for (let i = 0; i < segment.length; i += 7) {
      const damaged = Uint8Array.from(segment)
      damaged[i] = damaged[i]! ^ 0x10
      expect(codeOf(() => expect(unpackSegment(damaged, MIB)).toEqual(unpackSegment(segment, MIB)))).not.toBe('too_large')
    }
    expect(codeOf(() => unpackSegment(segment.subarray(0, 100), MIB))).toBe('damaged')
    expect(codeOf(() => unpackSegment(new Uint8Array(0), MIB))).toBe('damaged')
    expect(codeOf(() => unpackSegment(Buffer.from('not zstd'), MIB))).toBe('damaged')
  })
})

describe('the list of commits', () => {
  const integer = fc.maxSafeInteger().map((value) => Math.trunc(value / 8) + 0)
  const commit: fc.Arbitrary<SegmentCommit> = fc.record({
    number: integer,
    receivedMs: integer,
    records: fc.nat(),
    accepted: fc.nat(),
    eventMinMs: integer,
    eventMaxMs: integer,
  })

  test('comes back as it was', () => {
    fc.assert(fc.property(fc.array(commit), (commits) => expect(decodeCommits(encodeCommits(commits))).toEqual(commits)))
  })

  test('of a version that counted what lies in the body is read as that', () => {
    const before = Uint8Array.of(1, 6, 8, 4, 20, 2)
    const commit = { number: 3, receivedMs: 4, records: 2, accepted: 2, eventMinMs: 10, eventMaxMs: 11 }
    expect(decodeCommits(before)).toEqual([commit])
    expect(decodeCommits(encodeCommits([commit]))).toEqual([commit])
  })

  test('says which commit brought a record, also where a merge left nothing of one', () => {
    const commit = (number: number, records: number): SegmentCommit => ({
      ...{ number, receivedMs: 0, records, accepted: records, eventMinMs: 0, eventMaxMs: 0 },
    })
    const commitOf = createCommitOfRow([commit(1, 0), commit(3, 2), commit(4, 0), commit(5, 1), commit(9, 0)])
    expect([0, 1, 2].map((row) => commitOf(row).number)).toEqual([3, 3, 5])
    expect(createCommitOfRow([commit(7, 2)])(1).number).toBe(7)
  })

  test('takes about ten bytes a commit', () => {
    const commits = Array.from({ length: 100 }, (_, i) => ({
      number: 5000 + i,
      receivedMs: 1_781_856_000_000 + i * 300,
      records: 512,
      accepted: 512,
      eventMinMs: 1_781_855_999_000 + i * 290,
      eventMaxMs: 1_781_856_000_000 + i * 300,
    }))
    expect(encodeCommits(commits).length).toBeLessThan(1200)
  })

  test('of another version or cut off is damaged', () => {
    const bytes = encodeCommits([{ number: 300, receivedMs: 1, records: 1, accepted: 1, eventMinMs: 1, eventMaxMs: 300 }])
    expect(codeOf(() => decodeCommits(bytes.subarray(0, bytes.length - 1)))).toBe('damaged')
    expect(codeOf(() => decodeCommits(Uint8Array.of(9)))).toBe('damaged')
    expect(codeOf(() => decodeCommits(new Uint8Array(0)))).toBe('damaged')
  })
})

describe('the trace hashes', () => {
  const hash = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 3n }))

  test('all that were packed are found and no other', () => {
    fc.assert(
      fc.property(fc.array(hash), hash, (hashes, other) => {
        const packed = packTraceHashes(BigUint64Array.from(hashes))
        for (const one of hashes) expect(hasTraceHash(packed, one)).toBe(true)
        expect(hasTraceHash(packed, other)).toBe(hashes.includes(other))
      }),
    )
  })

  test('are kept once, and found in a blob that starts anywhere', () => {
    const packed = packTraceHashes([7n, 2n ** 63n, 7n, 0n])
    expect(packed).toHaveLength(24)
    const shifted = Buffer.concat([Buffer.from('x'), packed]).subarray(1)
    expect([0n, 7n, 8n, 2n ** 63n, -1n].map((one) => hasTraceHash(shifted, one))).toEqual([true, true, false, true, false])
  })
})
