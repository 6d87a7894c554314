import { unpackSegment } from './pack-segment.ts'
import { createZstdDecompressor } from './zstd-context.ts'

/**
 * Opens the bodies of many segments for one question after the other: with one context of zstd, and in memory that the next question
 * uses again. Made anew for each body, both cost as much as opening it, and a garbage collection every few questions.
 */
export interface SegmentOpener {
  /** As `unpackSegment`; what it answers holds until `begin`. */
  open(body: Uint8Array, maxBytes: number): Uint8Array
  /** A new question: all that was opened before may be overwritten. */
  begin(): void
}

/** What is opened beyond it has memory of its own. Only what is used of it costs memory. */
const KEPT_BYTES = 16 * 1024 ** 2

export function createSegmentOpener(keptBytes = KEPT_BYTES): SegmentOpener {
  const decompress = createZstdDecompressor()
  let kept: Uint8Array | null = null
  let used = 0
  return {
    open(body, maxBytes) {
      // One byte more shows that a body is not longer than its row says.
      const room = maxBytes + 1
      if (decompress === null || body.length === 0 || used + room > keptBytes) return unpackSegment(body, maxBytes)
      kept ??= Buffer.allocUnsafeSlow(keptBytes)
      const length = decompress(body, { bytes: kept, at: used, room })
      if (length === null) return unpackSegment(body, maxBytes)
      const opened = kept.subarray(used, used + length)
      used += length
      return opened
    },
    begin() {
      used = 0
    },
  }
}
