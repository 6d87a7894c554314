import type { AuditedChange } from '../../control/audited-change.ts'
import type { PainView } from '../../domain/pain-view.ts'
import type { Caller } from '../../http/request-facts.ts'
import type { AskTelemetry } from '../../telemetry/read-pool.ts'

export type Owner = Pick<Caller, 'projectNo' | 'projectId'>

export interface ChangesDeps {
  ask: AskTelemetry
  nowMs: () => number
  audited: AuditedChange
  /** The pain that an id is shown under, with all that was merged into it. */
  findPain(projectNo: number, painId: string): { painId: string; fingerprints: readonly string[]; service: string } | null
  /** By the id of any pain the id that it is shown under. */
  readRootIds(projectNo: number): (painId: string) => string
  readPainView(projectNo: number): PainView
}
