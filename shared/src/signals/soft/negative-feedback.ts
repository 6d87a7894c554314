import type { OtlpAttributes, OtlpValue } from '../../otlp/model.ts'
import { FEEDBACK_EVENTS } from '../../span/steps/step-keys.ts'
import type { SoftFinding, SoftRule } from './rule.ts'

const LABELS =
  /^(?:fail(?:ed)?|negative|thumbs[ _-]?down|down(?:vote)?|bad|dislike[d]?|poor|unhelpful|not[ _-]helpful|incorrect|wrong|unsatisfied|dissatisfied|👎)$/i

/** Of these, a high score is the bad one, so that a low one says nothing. */
const REVERSED = /toxic|hallucinat|harm|bias|risk|violation|error|unsafe|jailbreak|injection|profanity|pii|leak/i

/** A person or an evaluator said that it was bad: thumbs down, a failed evaluation, a score near the bottom of 0 to 1. */
export const negativeFeedback: SoftRule = {
  signal: 'negative_feedback',
  find({ tree, thresholds, fails }) {
    const findings: SoftFinding[] = []
    for (let at = 0; at < tree.spans.length; at++) {
      if (fails(at)) continue
      const { attributes, events } = tree.spans[at]!.span
      const said = [
        ...events.filter(({ name }) => FEEDBACK_EVENTS.test(name)).map((event) => readWord(event.attributes, event.name)),
        ...(mentions(attributes) ? [readWord(attributes, '')] : []),
      ]
      const negative = said.find((word) => word !== null && isNegative(word, thresholds.negativeFeedbackMaxScore))
      if (!negative) continue
      const { name, label, score } = negative
      const value = label ?? String(score)
      findings.push({ at, errorType: name, message: `negative feedback: ${name}`, because: `${name} is ${value}`.slice(0, 200) })
    }
    return findings
  },
}

interface Word {
  name: string
  label: string | null
  score: number | null
}

const LABEL_KEYS = [
  'gen_ai.evaluation.score.label',
  'feedback.thumbs',
  'feedback.value',
  'feedback.rating',
  'user.feedback',
  'user_feedback',
  'feedback',
  'value',
  'label',
  'thumbs',
  'rating',
] as const
const SCORE_KEYS = ['gen_ai.evaluation.score.value', 'feedback.score', 'user.feedback.score', 'score', ...LABEL_KEYS] as const

function mentions(attributes: OtlpAttributes): boolean {
  return LABEL_KEYS.slice(0, 6).some((key) => attributes.has(key)) || SCORE_KEYS.slice(0, 3).some((key) => attributes.has(key))
}

function readWord(attributes: OtlpAttributes, event: string): Word | null {
  const named = attributes.get('gen_ai.evaluation.name') ?? attributes.get('feedback.name')
  const name = typeof named === 'string' && named !== '' ? named.slice(0, 100) : 'user feedback'
  if (/^thumbs[._ ]?down$/i.test(event)) return { name, label: 'thumbs down', score: null }
  const label = LABEL_KEYS.map((key) => attributes.get(key)).find((value) => typeof value === 'string') as string | undefined
  const score = SCORE_KEYS.map((key) => attributes.get(key)).find(isScore)
  return label === undefined && score === undefined ? null : { name, label: label?.trim() ?? null, score: toNumber(score) }
}

function isScore(value: OtlpValue | undefined): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

function toNumber(value: OtlpValue | undefined): number | null {
  return typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : null
}

/** A label is clear; a score is where it lies on the scale from 0 to 1, or below it. Stars and other scales are not known here. */
function isNegative({ name, label, score }: Word, maxScore: number): boolean {
  if (label !== null && LABELS.test(label)) return true
  if (label !== null && !/^[\d.+-]*$/.test(label)) return false
  return score !== null && score <= maxScore && !REVERSED.test(name)
}
