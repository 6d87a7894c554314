import { readFileSync, writeFileSync } from 'node:fs'
import { type FaultSpec, faultById } from './fault-catalogue.ts'
import type { Visit } from './plan-traffic.ts'
import { traceIdOf } from './trace-ids.ts'

/** A fault as it was planted: what it is and in which traces it struck, once in each. */
export interface PlantedFault extends FaultSpec {
  traceIds: string[]
}

export interface GroundTruth {
  seed: number
  planted: PlantedFault[]
}

/** What the plan says will have happened. */
export function groundTruthOf(seed: number, visits: readonly Visit[]): GroundTruth {
  const traceIds = new Map<string, string[]>()
  for (const { faultId, index } of visits) {
    if (faultId !== null) traceIds.set(faultId, [...(traceIds.get(faultId) ?? []), traceIdOf(seed, index)])
  }
  return { seed, planted: [...traceIds].map(([id, ids]) => ({ ...faultById(id), traceIds: ids })) }
}

/** The file that only the scorer reads: nothing of it reaches the product. */
export const writeGroundTruth = (path: string, truth: GroundTruth): void => writeFileSync(path, JSON.stringify(truth, null, 2))

export const readGroundTruth = (path: string): GroundTruth => JSON.parse(readFileSync(path, 'utf8')) as GroundTruth
