/**
 * What the suite must prove, by the ids of the two lists it was written from: A–F and P of the OTLP receiver's checklist (transport,
 * gRPC, JSON, protobuf, data model, invalid spans, pitfalls), X its sixteen families of exporters in their order there, O the faults.
 */
const SECTIONS = { A: 25, B: 11, C: 11, D: 8, E: 12, F: 9, P: 12, X: 16, O: 65 } as const

export type RuleId = `${keyof typeof SECTIONS}${number}`

export const RULE_IDS: readonly RuleId[] = Object.entries(SECTIONS).flatMap(([section, rules]) =>
  Array.from({ length: rules }, (_, rule) => `${section}${rule + 1}` as RuleId),
)

/** One rule as a table has it: what is done, and in its name what is promised. */
export interface Row<Stage> {
  ids: RuleId[]
  name: string
  /** Where the sources disagree: the side taken, and why. */
  side?: string
  /** Why this machine cannot run it (root, loop devices, a compiler), or null; only for means, never for an open end. */
  whyNot?: () => string | null
  timeoutMs?: number
  run(stage: Stage): Promise<void>
}
