import { join } from 'node:path'
import { openDatabase } from '@loopkit/shared/database/open'
import { codecOf, type RecordKind } from '@loopkit/shared/database/telemetry/record-codecs'
import { unpackSegment } from '@loopkit/shared/segment/pack-segment'

/** Trace id and span id, latin1, of every record that telemetry.db holds, and how many of them it holds more than once. */
export function readStoredKeys(dataDir: string): { keys: Set<string>; doubled: number } {
  const db = openDatabase(join(dataDir, 'telemetry.db'), { role: 'reader' })
  const keys = new Set<string>()
  let doubled = 0
  try {
    const rows = db.prepare('select kind, body, body_bytes as bytes from segment where project_no > 0').iterate()
    for (const { kind, body, bytes } of rows as IterableIterator<{ kind: RecordKind; body: Uint8Array; bytes: number }>) {
      const request = Buffer.from(unpackSegment(body, bytes))
      const { count, traceIdAt, spanIdAt } = codecOf(kind).scan(request)
      for (let row = 0; row < count; row++) {
        const at = (start: number, size: number) => request.toString('latin1', start, start + size)
        const key = at(traceIdAt[row]!, 16) + at(spanIdAt[row]!, 8)
        if (keys.has(key)) doubled++
        keys.add(key)
      }
    }
  } finally {
    db.close()
  }
  return { keys, doubled }
}
