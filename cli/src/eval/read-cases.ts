import type { EvalCandidate } from '@loopkit/shared/eval-candidate/model'
import type { EvalCase } from './export-cases.ts'

/** The part of a packet, or of a pain, that holds candidates. */
export interface CandidateHolder {
  issues?: { pain_id: string; eval_candidate: EvalCandidate | null }[]
  issue?: { pain_id: string; eval_candidate: EvalCandidate | null } | null
}

export function casesOfAnswer({ issues, issue }: CandidateHolder): EvalCase[] {
  return [...(issues ?? []), ...(issue ? [issue] : [])].flatMap(({ pain_id, eval_candidate: candidate }) =>
    candidate === null ? [] : [{ pain_id, candidate, examples: [] }],
  )
}

/**
 * Candidates of a file: an export (JSON lines, with its frozen runs), a candidate as `loopkit run` wrote it, or a packet as it was
 * answered. Empty where the text holds none.
 */
export function readCases(text: string): EvalCase[] {
  const whole = parse(text)
  if (whole !== undefined) return casesOf(whole)
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : casesOf(parse(line))))
}

function casesOf(value: unknown): EvalCase[] {
  if (Array.isArray(value)) return value.flatMap(casesOf)
  if (typeof value !== 'object' || value === null) return []
  if ('candidate' in value && isCandidate(value.candidate)) return [asCase(value as Partial<EvalCase>, value.candidate)]
  if (isCandidate(value)) return [asCase({}, value)]
  if ('packet' in value) return casesOf(value.packet)
  return 'issues' in value || 'issue' in value ? casesOfAnswer(value as CandidateHolder).flatMap(casesOf) : []
}

function asCase({ pain_id, examples }: Partial<EvalCase>, candidate: EvalCandidate): EvalCase {
  return { pain_id: typeof pain_id === 'string' ? pain_id : null, candidate, examples: Array.isArray(examples) ? examples : [] }
}

/** What a check needs; a person may have written the rest. */
function isCandidate(value: unknown): value is EvalCandidate {
  if (typeof value !== 'object' || value === null) return false
  const { eval_id, assertions, must_fail_on, must_pass_on } = value as Record<string, unknown>
  return (
    typeof eval_id === 'string' &&
    Array.isArray(assertions) &&
    assertions.every((one) => typeof one?.kind === 'string' && typeof one.target === 'string') &&
    Array.isArray(must_fail_on) &&
    (must_pass_on === null || Array.isArray(must_pass_on))
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
