import type { Detection } from '@loopkit/shared/signals/model'
import type { CodePlace, EvidenceRecord } from '../../domain/pain-facts.ts'

/** What a record was asked to do, and where its code is. */
export interface RecordInput {
  attributes: Record<string, unknown>
  place: CodePlace
}

/** A failing record that can be read again, with what its trace says of it where that was read. */
export interface ResolvedEvidence {
  traceId: Uint8Array
  spanId: Uint8Array
  evidence: EvidenceRecord
  isRead: boolean
  /** Its trace id was sent as text that is no id. */
  hasTextId: boolean
  detection: Detection | null
  routes: string[]
  /** Log records that tell of it. */
  logRecordIds: string[]
  /** What it was asked to do: a bounded choice of its attributes, read of the first record of a pain. */
  input: RecordInput | null
}
