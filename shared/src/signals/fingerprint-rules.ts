import { toHex } from '../otlp/ids.ts'
import type { OtlpSpan, OtlpValue, SpanInContext } from '../otlp/model.ts'
import { toShownValue } from '../span/json-value.ts'
import type { SpanView } from '../span/record.ts'
import { FINGERPRINT_SCHEME, keyOf, scopeOf } from './fingerprint.ts'
import type { Detection, Fingerprint, TraceSpan } from './model.ts'
import type { SignalType } from './signal-type.ts'
import { stackSignature } from './stack.ts'

/** What failures a rule is for; all that is named must hold. */
export interface RuleMatch {
  service?: string
  operation?: string
  signal_type?: SignalType
  error_type?: string
  /** Text of the error as it was sent. */
  message_contains?: string
}

/** Failures that match are one pain for each signal and each set of values of `by`. */
export interface FingerprintRule {
  ruleId: string
  name: string | null
  match: RuleMatch
  /** Fields (`RULE_FIELDS`), else attributes of the record, its scope or its resource. */
  by: readonly string[]
  createdAtMs: number
}

/** Failures of one pain are told apart by the value of an attribute; those without it stay where they are. */
export interface SplitRule {
  ruleId: string
  /** The pain's own fingerprint, in hex. */
  fingerprint: string
  attribute: string
  createdAtMs: number
}

/** How one project groups failures beyond the scheme. */
export interface ProjectRules {
  /** The first that matches counts. */
  rules: readonly FingerprintRule[]
  /** By fingerprint in hex: the pain's own, and those merged into it. */
  splits: Readonly<Record<string, SplitRule>>
}

export const NO_RULES: ProjectRules = { rules: [], splits: {} }

/** The key under which a failure is counted in place of the scheme's own. */
export type Regroup = (failing: TraceSpan, base: Fingerprint) => Fingerprint

/** A part of a split pain may be split again, and so on. */
export const SPLITS_DEEP_MAX = 4
const VALUE_MAX_CHARS = 200
/** What a step shows where a record has no such value. */
const NO_VALUE = '(none)'

/** Fields that a record shows by itself. */
const VIEW_FIELDS: ReadonlyMap<string, (view: SpanView) => string | null> = new Map<string, (view: SpanView) => string | null>([
  ['service', ({ service }) => service],
  ['operation', ({ operation }) => operation],
  ['kind', ({ kind }) => kind],
  ['agent', ({ agent }) => agent],
  ['tool', ({ tool }) => tool],
  ['model', ({ model }) => model],
  ['provider', ({ provider }) => provider],
  ['user', ({ user }) => user],
  ['release', ({ release }) => release],
  ['environment', ({ environment }) => environment],
])

type FailureField = (detection: Detection, base: Fingerprint) => string | null

/** Fields of the failure. */
const FAILURE_FIELDS: ReadonlyMap<string, FailureField> = new Map<string, FailureField>([
  ['signal_type', ({ signal }) => signal],
  ['error_type', ({ errorType }) => errorType],
  ['code', ({ code }) => code],
  ['stack', ({ stack }) => (stack === null ? null : stackSignature(stack).join(' < '))],
  ['message', (_detection, { template }) => template],
])

export const RULE_FIELDS: readonly string[] = [...VIEW_FIELDS.keys(), ...FAILURE_FIELDS.keys()]

/** Attributes that judging must decode for these rules. */
export function ruleAttributes({ rules, splits }: ProjectRules): string[] {
  const named = [...rules.flatMap(({ by }) => by), ...Object.values(splits).map(({ attribute }) => attribute)]
  return [...new Set(named)].filter((name) => !RULE_FIELDS.includes(name)).sort()
}

/**
 * Applies a project's rules to failures of these records. Pure: the same failure gets the same key wherever and whenever it is
 * judged by the same rules. A record's own `loopkit.fingerprint` goes before every rule; a split goes after all.
 * undefined: the project has no rules, so nothing need be asked.
 */
export function createRegroup(projectId: string, project: ProjectRules, contexts: Iterable<SpanInContext>): Regroup | undefined {
  if (project.rules.length === 0 && Object.keys(project.splits).length === 0) return undefined
  const contextOf = new Map<OtlpSpan, SpanInContext>()
  for (const context of contexts) contextOf.set(context.span, context)
  const made = new Map<string, Fingerprint>()
  return (failing, base) => {
    const { span, view, detection } = failing
    const readRecord = (name: string) => valueOfRecord(name, view, { span, ...contextOf.get(span) })
    const read = (name: string) => FAILURE_FIELDS.get(name)?.(detection!, base) ?? readRecord(name)
    const rule = detection!.userFingerprint === null ? project.rules.find(({ match }) => matches(match, failing)) : undefined
    let regrouped = rule ? ruled(projectId, { rule, base, failing }, read) : base
    for (let deep = 0; deep < SPLITS_DEEP_MAX; deep++) {
      const split = splitOf(project.splits, regrouped)
      const value = split ? readRecord(split.attribute) : null
      if (!split || value === null) break
      regrouped = splitOff(projectId, { split, value, base: regrouped })
    }
    // Failures of one kind share one object, as those of the scheme do.
    const name = toHex(regrouped.key)
    const shared = made.get(name) ?? regrouped
    made.set(name, shared)
    return shared
  }
}

/** A split was made of the pain as it was known then, maybe under the scheme before. */
function splitOf(splits: ProjectRules['splits'], { key, previousKey }: Fingerprint): SplitRule | undefined {
  return splits[toHex(key)] ?? (previousKey === null ? undefined : splits[toHex(previousKey)])
}

/** What a match is made against. */
export interface Matched {
  view: Pick<SpanView, 'service' | 'operation'>
  detection: Pick<Detection, 'signal' | 'errorType' | 'message'> | null
}

export function matches(match: RuleMatch, { view, detection }: Matched): boolean {
  const { service, operation, signal_type: signal, error_type: errorType, message_contains: words } = match
  return (
    (service === undefined || service === view.service) &&
    (operation === undefined || operation === view.operation) &&
    (signal === undefined || signal === detection!.signal) &&
    (errorType === undefined || errorType === detection!.errorType) &&
    (words === undefined || (detection!.message ?? '').includes(words))
  )
}

type ReadValue = (name: string) => string | null

interface Ruled {
  rule: FingerprintRule
  base: Fingerprint
  failing: TraceSpan
}

function ruled(projectId: string, { rule, base, failing }: Ruled, read: ReadValue): Fingerprint {
  const signal = ['signal', failing.detection!.signal]
  const ruledBy = ['rule', ruleDigestText(rule), ...signal]
  const scope = [...scopeOf(projectId), ...ruledBy]
  const values = rule.by.map((name) => [name, read(name)] as const)
  const before = [...scopeOf(projectId, FINGERPRINT_SCHEME - 1), ...ruledBy, 'own', ...values.flat()]
  return {
    key: keyOf([...scope, 'own', ...values.flat()]),
    parentKey: keyOf([...scope, 'parent']),
    previousKey: base.previousKey === null ? null : keyOf(before),
    template: base.template,
    steps: [
      base.steps[0]!,
      { step: 'rule', value: rule.name === null ? rule.ruleId : `${rule.ruleId} ${rule.name}` },
      { step: 'signal', value: signal[1]! },
      ...values.map(([name, value]) => ({ step: `by ${name}`, value: value ?? NO_VALUE })),
    ],
  }
}

/** What a rule does, and not what it is called: made again, it gives the pains that it gave before. */
export function ruleDigestText({ match, by }: Pick<FingerprintRule, 'match' | 'by'>): string {
  const { service, operation, signal_type, error_type, message_contains } = match
  return JSON.stringify([
    service ?? null,
    operation ?? null,
    signal_type ?? null,
    error_type ?? null,
    message_contains ?? null,
    by,
  ])
}

function splitOff(
  projectId: string,
  { split, value, base }: { split: SplitRule; value: string; base: Fingerprint },
): Fingerprint {
  const steps = [...base.steps, ...splitSteps(split, value)]
  const previousKey = base.previousKey === null ? null : splitKey(projectId, split, value, FINGERPRINT_SCHEME - 1)
  return { key: splitKey(projectId, split, value), parentKey: base.parentKey, previousKey, template: base.template, steps }
}

export function splitSteps({ ruleId, fingerprint, attribute }: SplitRule, value: string): Fingerprint['steps'] {
  return [
    { step: 'split', value: `${ruleId} of ${fingerprint}` },
    { step: `by ${attribute}`, value },
  ]
}

export function splitKey(
  projectId: string,
  { fingerprint, attribute }: Pick<SplitRule, 'fingerprint' | 'attribute'>,
  value: string,
  scheme: number = FINGERPRINT_SCHEME,
): Uint8Array {
  return keyOf([...scopeOf(projectId, scheme), 'split', fingerprint, attribute, value])
}

/** A field of the record, else an attribute of the record itself, else of its scope, else of its resource; null where none has it. */
export function valueOfRecord(
  name: string,
  view: SpanView,
  { span, scope, resource }: Pick<SpanInContext, 'span'> & Partial<SpanInContext>,
): string | null {
  const field = VIEW_FIELDS.get(name)?.(view) ?? null
  if (field !== null) return field.slice(0, VALUE_MAX_CHARS)
  const value = span.attributes.get(name) ?? scope?.attributes.get(name) ?? resource?.attributes.get(name)
  return value === undefined ? null : textOf(value)
}

function textOf(value: OtlpValue): string | null {
  if (value === null) return null
  const text = typeof value === 'string' ? value : typeof value === 'object' ? shownText(value) : String(value)
  return text.slice(0, VALUE_MAX_CHARS).toWellFormed()
}

function shownText(value: OtlpValue): string {
  return JSON.stringify(toShownValue(value, { bytes: VALUE_MAX_CHARS * 4, isCut: false }))
}
