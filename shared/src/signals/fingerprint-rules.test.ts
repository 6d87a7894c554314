import { describe, expect, test } from '@jest/globals'
import { toHex } from '../otlp/ids.ts'
import type { OtlpValue, SpanInContext } from '../otlp/model.ts'
import { fingerprint } from './fingerprint.ts'
import { createRegroup, type FingerprintRule, matches, NO_RULES, type ProjectRules, ruleAttributes } from './fingerprint-rules.ts'
import { createJudgeMemory } from './judge-memory.ts'
import { judgeTrace } from './judge-trace.ts'
import { DEFAULT_SOFT_THRESHOLDS } from './soft/thresholds.ts'
import { ERROR, type SpanSketch, sketchTrace } from './trace.fixture.ts'

const PROJECT = 'p-1'
const failing = (more: SpanSketch = {}): SpanSketch => ({ status: ERROR, message: 'card declined', name: 'pay', ...more })

function failureOf(sketch: SpanSketch) {
  const [record] = sketchTrace([sketch])
  return record!
}

const envelope = (attributes: Record<string, OtlpValue> = {}) => ({
  attributes: new Map(Object.entries(attributes)),
  droppedAttributesCount: 0,
  schemaUrl: '',
})
interface Around {
  resource?: Record<string, OtlpValue>
  scope?: Record<string, OtlpValue>
}

/** Key, parent key and steps of one failure under a project's rules. */
function keyed(project: ProjectRules, sketch: SpanSketch, { resource, scope }: Around = {}) {
  const record = failureOf(sketch)
  const context: SpanInContext = {
    resource: envelope(resource),
    scope: { ...envelope(scope), name: 's', version: '' },
    span: record.span,
  }
  const base = fingerprint(PROJECT, record.view, record.detection!)
  const regrouped = createRegroup(PROJECT, project, [context])?.(record, base) ?? base
  return { ...regrouped, name: toHex(regrouped.key), parent: toHex(regrouped.parentKey), base: toHex(base.key) }
}

const rule = (more: Partial<FingerprintRule>): ProjectRules => ({
  rules: [{ ruleId: 'rule_1', name: null, match: {}, by: [], createdAtMs: 0, ...more }],
  splits: {},
})
const byTenant = rule({ by: ['tenant.id'] })
const tenant = (id: OtlpValue, more: SpanSketch = {}) => failing({ attributes: { 'tenant.id': id }, ...more })

describe('a rule is for failures that hold all it names', () => {
  test.each([
    [{ service: 'shop' }, true],
    [{ service: 'Shop' }, false],
    [{ operation: 'pay' }, true],
    [{ operation: 'ship' }, false],
    [{ signal_type: 'error_status' }, true],
    [{ signal_type: 'timeout' }, false],
    [{ error_type: 'E1' }, true],
    [{ error_type: 'E2' }, false],
    [{ message_contains: 'declined' }, true],
    [{ message_contains: 'DECLINED' }, false],
    [{ service: 'shop', message_contains: 'lost' }, false],
    [{}, true],
  ] as const)('%j: %s', (match, expected) => {
    const record = failureOf(failing({ view: { service: 'shop', operation: 'pay' } }))
    expect(matches(match, { ...record, detection: { ...record.detection!, errorType: 'E1', signal: 'error_status' } })).toBe(
      expected,
    )
  })
})

describe('by a rule', () => {
  test('failures of one value are one pain, whatever their words and place', () => {
    const one = keyed(byTenant, tenant('acme'))
    const other = keyed(byTenant, tenant('acme', { message: 'no stock', name: 'ship', view: { operation: 'ship' } }))
    expect(other.name).toBe(one.name)
    expect(other.base).not.toBe(one.base)
  })

  test.each([
    ['another value', tenant('other')],
    ['no value', failing()],
    ['a value that is not text', tenant(7)],
    ['the word for none', tenant('(none)')],
  ])('%s is another pain', (_, sketch) => {
    expect(keyed(byTenant, sketch).name).not.toBe(keyed(byTenant, tenant('acme')).name)
    expect(keyed(byTenant, sketch).parent).toBe(keyed(byTenant, tenant('acme')).parent)
  })

  test('the record’s own attribute goes before its scope’s, and that before its resource’s', () => {
    const all = { resource: { 'tenant.id': 'r' }, scope: { 'tenant.id': 's' } }
    expect(keyed(byTenant, tenant('own'), all).name).toBe(keyed(byTenant, tenant('own')).name)
    expect(keyed(byTenant, failing(), all).name).toBe(keyed(byTenant, tenant('s')).name)
    expect(keyed(byTenant, failing(), { resource: all.resource }).name).toBe(keyed(byTenant, tenant('r')).name)
  })

  test('steps say rule and values, and the key depends on neither the rule’s name nor its id', () => {
    const named = keyed(rule({ by: ['tenant.id'], name: 'per tenant', ruleId: 'rule_2' }), tenant('acme'))
    expect(named.steps).toEqual(
      expect.arrayContaining([
        { step: 'rule', value: 'rule_2 per tenant' },
        { step: 'by tenant.id', value: 'acme' },
      ]),
    )
    expect(named.name).toBe(keyed(byTenant, tenant('acme')).name)
  })

  test.each([
    ['an attribute called as a field of an object', ['constructor']],
    ['a prototype', ['__proto__']],
  ])('%s is only an attribute', (_, by) => {
    expect(keyed(rule({ by }), failing()).steps.at(-1)!.value).toBe('(none)')
  })

  test('the first that matches counts', () => {
    const both = { rules: [...rule({ match: { operation: 'nowhere' }, by: ['a'] }).rules, ...byTenant.rules], splits: {} }
    expect(keyed(both, tenant('acme')).name).toBe(keyed(byTenant, tenant('acme')).name)
  })

  test('nothing changes where none matches, and a record’s own fingerprint goes first', () => {
    const elsewhere = rule({ match: { operation: 'nowhere' }, by: ['tenant.id'] })
    expect(keyed(elsewhere, tenant('acme')).name).toBe(keyed(NO_RULES, tenant('acme')).name)
    const own = failing({ attributes: { 'loopkit.fingerprint': 'mine', 'tenant.id': 'acme' } })
    expect(keyed(byTenant, own).name).toBe(keyed(NO_RULES, own).name)
  })
})

describe('a split', () => {
  const base = keyed(NO_RULES, failing()).name
  const split: ProjectRules = {
    rules: [],
    splits: { [base]: { ruleId: 'rule_3', fingerprint: base, attribute: 'tenant.id', createdAtMs: 0 } },
  }

  test('tells failures of its pain apart, keeps their parent, and leaves those without the attribute', () => {
    const names = [tenant('acme'), tenant('other'), failing()].map((sketch) => keyed(split, sketch))
    expect(new Set(names.map(({ name }) => name)).size).toBe(3)
    expect(new Set(names.map(({ parent }) => parent)).size).toBe(1)
    expect(names[2]!.name).toBe(base)
  })

  test('leaves other pains alone', () => {
    const other = tenant('acme', { message: 'no stock' })
    expect(keyed(split, other).name).toBe(keyed(NO_RULES, other).name)
  })

  test('of a part of a split goes deeper', () => {
    const part = keyed(split, tenant('acme')).name
    const deeper = {
      ...split,
      splits: { ...split.splits, [part]: { ruleId: 'rule_4', fingerprint: part, attribute: 'region', createdAtMs: 0 } },
    }
    const at = (region: string) => keyed(deeper, failing({ attributes: { 'tenant.id': 'acme', region } })).name
    expect(new Set([part, at('eu'), at('us')]).size).toBe(3)
  })

  test('of what was merged with a pain gives the parts of that pain', () => {
    const merged = keyed(NO_RULES, failing({ message: 'no stock' })).name
    const both = { rules: [], splits: { ...split.splits, [merged]: split.splits[base]! } }
    expect(keyed(both, tenant('acme', { message: 'no stock' })).name).toBe(keyed(both, tenant('acme')).name)
  })
})

test('a project without rules asks nothing, and judging needs only attributes', () => {
  expect(createRegroup(PROJECT, NO_RULES, [])).toBeUndefined()
  expect(ruleAttributes(rule({ by: ['service', 'tenant.id', 'message', 'a'] }))).toEqual(['a', 'tenant.id'])
})

test('a whole trace is judged by them, in any order of its spans', () => {
  const sketches = [tenant('acme', { id: 'a' }), tenant('other', { id: 'b' })]
  const names = [sketches, sketches.toReversed()].map((order) => {
    const records = sketchTrace(order)
    const contexts = records.map(({ span }) => ({ resource: envelope(), scope: { ...envelope(), name: '', version: '' }, span }))
    const regroup = createRegroup(PROJECT, byTenant, contexts)
    const rules = { off: new Set<never>(), thresholds: DEFAULT_SOFT_THRESHOLDS, isOver: true, regroup }
    const { failures } = judgeTrace(PROJECT, records, createJudgeMemory(PROJECT), rules)
    return failures.map(({ fingerprint: { key } }) => toHex(key)).sort()
  })
  expect(new Set(names[0]).size).toBe(2)
  expect(names[0]).toEqual(names[1])
})
