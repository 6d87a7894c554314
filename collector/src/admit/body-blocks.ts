import { freeMemory } from '@loopkit/shared/otlp/free-memory'

/** Memory of bodies, used again: fresh pages for each body cost as much as walking it, and collecting them is dear. */
export interface BodyBlocks {
  /** So many bytes, not zeroed, in memory that may be moved to a worker. */
  take(bytes: number): Uint8Array
  /** The memory behind this array may be given to the next body, or to the system. One that was moved away is left alone. */
  give(body: Uint8Array): void
}

/** Makes the sizes of blocks odd ones, by which they are known: Node's own pool, of 8 kB, must never get in. */
const MARK_BYTES = 64
const SMALLEST_LOG2 = 13
/** Larger bodies are rare and get memory of their own. */
const LARGEST_LOG2 = 20
/** Bytes of blocks that wait to be used; beyond it they are left to the garbage collector. */
const KEPT_MAX_BYTES = 8 * 1024 ** 2

export function createBodyBlocks(): BodyBlocks {
  const free: ArrayBuffer[][] = Array.from({ length: LARGEST_LOG2 + 1 }, () => [])
  let kept = 0

  return {
    take(bytes) {
      const log2 = sizeLog2(bytes)
      if (log2 > LARGEST_LOG2) return new Uint8Array(newBlock(bytes), 0, bytes)
      const block = free[log2]!.pop()
      if (block) kept -= block.byteLength
      return new Uint8Array(block ?? newBlock(2 ** log2 + MARK_BYTES), 0, bytes)
    },
    give(body) {
      const { buffer } = body
      const bytes = buffer.byteLength
      const log2 = sizeLog2(bytes - MARK_BYTES)
      const isOfPool = buffer instanceof ArrayBuffer && bytes === 2 ** log2 + MARK_BYTES && log2 <= LARGEST_LOG2
      if (!isOfPool || kept + bytes > KEPT_MAX_BYTES) return void freeMemory(body)
      free[log2]!.push(buffer)
      kept += bytes
    },
  }
}

function sizeLog2(bytes: number): number {
  return Math.max(SMALLEST_LOG2, Math.ceil(Math.log2(Math.max(1, bytes))))
}

/** Without Node's own pool, whose memory must not be moved. */
function newBlock(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer
}
