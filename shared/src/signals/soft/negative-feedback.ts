import type { OtlpAttributes, OtlpEvent, OtlpSpan, OtlpValue } from '../../otlp/model.ts'
import { FEEDBACK_EVENTS, FEEDBACK_LABEL_KEYS, FEEDBACK_NAME_KEYS, FEEDBACK_SCORE_KEYS } from '../../span/steps/step-keys.ts'
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
      const { span } = tree.spans[at]!
      if (!hasFeedback(span)) continue
      const said = [...span.events.filter(({ name }) => FEEDBACK_EVENTS.test(name)).map(ofEvent), ofSpan(span.attributes)]
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

/** What an event calls them: its name says what they are about. */
const EVENT_LABEL_KEYS = [...FEEDBACK_LABEL_KEYS, 'value', 'label', 'thumbs', 'rating', 'sentiment']
const EVENT_SCORE_KEYS = [...FEEDBACK_SCORE_KEYS, 'score', ...EVENT_LABEL_KEYS]
const SPAN_SCORE_KEYS = [...FEEDBACK_SCORE_KEYS, ...FEEDBACK_LABEL_KEYS]

const ofSpan = (attributes: OtlpAttributes) => readWord(attributes, FEEDBACK_LABEL_KEYS, SPAN_SCORE_KEYS)

function ofEvent({ name, attributes }: OtlpEvent): Word | null {
  const word = readWord(attributes, EVENT_LABEL_KEYS, EVENT_SCORE_KEYS)
  return /^thumbs[._ ]?down$/i.test(name) ? { name: word?.name ?? USER_FEEDBACK, label: 'thumbs down', score: null } : word
}

/** Whether a span carries any word on what was done. */
export function hasFeedback({ attributes, events }: OtlpSpan): boolean {
  return SPAN_SCORE_KEYS.some((key) => attributes.has(key)) || events.some(({ name }) => FEEDBACK_EVENTS.test(name))
}

const USER_FEEDBACK = 'user feedback'

function readWord(attributes: OtlpAttributes, labels: readonly string[], scores: readonly string[]): Word | null {
  const named = FEEDBACK_NAME_KEYS.map((key) => attributes.get(key)).find((value) => typeof value === 'string' && value !== '')
  const name = typeof named === 'string' ? named.slice(0, 100) : USER_FEEDBACK
  const label = labels.map((key) => attributes.get(key)).find((value) => typeof value === 'string') as string | undefined
  const score = scores.map((key) => attributes.get(key)).find(isScore)
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
