import { readFileSync, writeFileSync } from 'node:fs'
import { attributesOfCause } from './circumstances.ts'
import { type FaultSpec, faultById } from './fault-catalogue.ts'
import type { Visit } from './plan-traffic.ts'
import { traceIdOf } from './trace-ids.ts'

/** A fault as it was planted: what it is and in which traces it struck, once in each. */
export interface PlantedFault extends FaultSpec {
  traceIds: string[]
  /** The attributes of the failing record without which it never struck; null where it struck anywhere. */
  cause: Record<string, string> | null
}

export interface GroundTruth {
  seed: number
  planted: PlantedFault[]
}

/** What the plan says will have happened. */
export function groundTruthOf(seed: number, visits: readonly Visit[]): GroundTruth {
  const struck = Map.groupBy(
    visits.filter(({ faultId }) => faultId !== null),
    ({ faultId }) => faultId as string,
  )
  const planted = [...struck].map(([id, ofFault]) => {
    const fault = faultById(id)
    const cause = ofFault[0]?.cause ?? null
    return {
      ...fault,
      traceIds: ofFault.map(({ index }) => traceIdOf(seed, index)),
      cause: cause && attributesOfCause(fault.service, cause),
    }
  })
  return { seed, planted }
}

/** The file that only the scorer reads: nothing of it reaches the product. */
export const writeGroundTruth = (path: string, truth: GroundTruth): void => writeFileSync(path, JSON.stringify(truth, null, 2))

export const readGroundTruth = (path: string): GroundTruth => JSON.parse(readFileSync(path, 'utf8')) as GroundTruth
