import type { RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import type { BodyToCommit, CommitGroup, PackedGroup } from './messages.ts'

/**
 * Memory that usual groups fit into (see GROUP_MAX_BYTES). A larger one gets its own, which moves to the writer: shared memory
 * is given back only when both threads have looked for garbage.
 */
export const GROUP_BYTES = 5 * 1024 ** 2
/** Numbers of one body, which lie before the bodies: project, place, bytes, spans, new spans, bytes of replaced ids, words of trace hashes, kind of record. */
const NUMBERS = 8
const NUMBER_BYTES = 8
const WORD_BYTES = 4
const RECORD_KINDS: readonly RecordKind[] = ['span', 'log']
/** From here on a body that is alone moves to the writer, so that its memory is not taken twice; and it is faster. */
const MOVED_MIN_BYTES = 1024 ** 2
const NOTHING = new Uint8Array(0)

/** Puts groups into the memory that main thread and writer share. */
export interface GroupPacker {
  /**
   * Copies what the bodies hold, and they may be reused at once; a large one that is alone is handed over instead. The memory
   * is used again by the next call, so that one comes only after the writer's answer to this one.
   */
  pack(group: CommitGroup): PackedGroup
}

/**
 * One copy instead of moving each body's memory: moving costs 60 µs a body in all, copying 262 kB half of that and small
 * bodies nothing; and bodies lie one behind the other, as a segment needs them (measured, Node 24: 10-span bodies).
 */
export function createGroupPacker(kept: SharedArrayBuffer): GroupPacker {
  return {
    pack({ bodies: given, ...rest }) {
      const moved = movedOf(given)
      const bodies = moved ? [{ ...given[0]!, body: NOTHING }] : given
      const size = bodies.reduce((sum, one) => sum + roomOf(one), 0)
      const memory = size <= kept.byteLength ? kept : new ArrayBuffer(size)
      const bytes = new Uint8Array(memory)
      const numbers = new Float64Array(memory, 0, bodies.length * NUMBERS)
      let at = numbers.byteLength
      // Bodies of one project and kind lie together.
      for (const position of inOrderOfProjects(bodies)) {
        const { projectNo, body, spans, newSpans, replaced, traces, recordKind } = bodies[position]!
        const kind = RECORD_KINDS.indexOf(recordKind)
        writeNumbers(
          numbers,
          position * NUMBERS,
          projectNo,
          at,
          body.length,
          spans,
          newSpans,
          replaced.length,
          traces.length,
          kind,
        )
        bytes.set(body, at)
        at += body.length
      }
      for (let position = 0; position < bodies.length; position++) {
        const { replaced, traces } = bodies[position]!
        at = alignWord(at)
        new Uint32Array(memory, at, traces.length).set(traces)
        at += traces.byteLength
        bytes.set(replaced, at)
        at += replaced.length
      }
      const ledgers = bodies.flatMap(({ ledger }, position) => (ledger.length > 0 ? [{ position, ledger }] : []))
      return { ...rest, memory, moved, bodies: bodies.length, ledgers }
    },
  }
}

/** The group as it was; its bodies are views of the shared memory, good until the writer has answered. */
export function unpackGroup({ memory, moved, bodies: count, ledgers, ...rest }: PackedGroup): CommitGroup {
  const ledgerOf = new Map(ledgers.map(({ position, ledger }) => [position, ledger]))
  const numbers = new Float64Array(memory, 0, count * NUMBERS)
  let restAt = numbers.byteLength
  for (let position = 0; position < count; position++) restAt += numbers[position * NUMBERS + 2]!
  const bodies: BodyToCommit[] = []
  for (let position = 0; position < count; position++) {
    const from = position * NUMBERS
    const replacedBytes = numbers[from + 5]!
    const traceWords = numbers[from + 6]!
    const tracesAt = alignWord(restAt)
    const replacedAt = tracesAt + traceWords * WORD_BYTES
    restAt = replacedAt + replacedBytes
    bodies.push({
      projectNo: numbers[from]!,
      recordKind: RECORD_KINDS[numbers[from + 7]!]!,
      body: moved ?? new Uint8Array(memory, numbers[from + 1], numbers[from + 2]),
      spans: numbers[from + 3]!,
      newSpans: numbers[from + 4]!,
      replaced: new Uint8Array(memory, replacedAt, replacedBytes),
      traces: new Uint32Array(memory, tracesAt, traceWords),
      ledger: ledgerOf.get(position) ?? [],
    })
  }
  return { ...rest, bodies }
}

function movedOf(bodies: readonly BodyToCommit[]): Uint8Array<ArrayBuffer> | null {
  const { body } = bodies[0] ?? {}
  const isMoved = bodies.length === 1 && body && body.length >= MOVED_MIN_BYTES && body.buffer instanceof ArrayBuffer
  return isMoved ? new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.length) : null
}

/** What goes to the writer and is not shared with it. */
export function movedBuffers({ memory, moved }: PackedGroup): ArrayBuffer[] {
  return [memory, moved?.buffer].filter((buffer) => buffer instanceof ArrayBuffer)
}

function roomOf({ body, replaced, traces }: BodyToCommit): number {
  return NUMBERS * NUMBER_BYTES + body.length + replaced.length + traces.byteLength + WORD_BYTES
}

function writeNumbers(numbers: Float64Array, from: number, ...values: number[]): void {
  for (let n = 0; n < values.length; n++) numbers[from + n] = values[n]!
}

function inOrderOfProjects(bodies: readonly BodyToCommit[]): number[] {
  const positions = bodies.map((_, position) => position)
  const kindOf = (position: number) => RECORD_KINDS.indexOf(bodies[position]!.recordKind)
  return positions.sort((a, b) => bodies[a]!.projectNo - bodies[b]!.projectNo || kindOf(a) - kindOf(b))
}

function alignWord(at: number): number {
  return (at + WORD_BYTES - 1) & ~(WORD_BYTES - 1)
}
