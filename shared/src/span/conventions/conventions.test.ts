import { describe, expect, test } from '@jest/globals'
import { createAttributeFilter, decodeTraces } from '../../otlp/decode-traces.ts'
import { encodeTraces } from '../../otlp/encode-traces.ts'
import type { OtlpValue } from '../../otlp/model.ts'
import { viewResource } from '../view-resource.ts'
import { viewSpan } from '../view-span.ts'
import { WANTED_KEYS, WANTED_PREFIXES } from '../wanted-keys.ts'
import { DATABASE_FIXTURES } from './database.fixture.ts'
import { FRAMEWORK_FIXTURES } from './frameworks.fixture.ts'
import { GEN_AI_FIXTURES } from './gen-ai.fixture.ts'
import { HTTP_FIXTURES } from './http.fixture.ts'
import { MCP_FIXTURES } from './mcp.fixture.ts'
import { MESSAGING_FIXTURES } from './messaging.fixture.ts'
import { OPEN_INFERENCE_FIXTURES } from './openinference.fixture.ts'
import { OPEN_LLMETRY_FIXTURES } from './openllmetry.fixture.ts'
import { RPC_FIXTURES } from './rpc.fixture.ts'
import { contextOf } from './sent-span.fixture.ts'
import { VERCEL_AI_FIXTURES } from './vercel-ai.fixture.ts'

const DIALECTS = [
  ['OpenTelemetry gen_ai', GEN_AI_FIXTURES],
  ['OpenInference', OPEN_INFERENCE_FIXTURES],
  ['OpenLLMetry', OPEN_LLMETRY_FIXTURES],
  ['Vercel AI SDK', VERCEL_AI_FIXTURES],
  ['frameworks', FRAMEWORK_FIXTURES],
  ['MCP', MCP_FIXTURES],
  ['HTTP', HTTP_FIXTURES],
  ['databases', DATABASE_FIXTURES],
  ['RPC', RPC_FIXTURES],
  ['messaging', MESSAGING_FIXTURES],
] as const

const ALL = DIALECTS.flatMap(([, fixtures]) => fixtures)

/** Remembers which keys it was asked for. */
class AskedMap extends Map<string, OtlpValue> {
  readonly asked = new Set<string>()
  override get(key: string) {
    this.asked.add(key)
    return super.get(key)
  }
  override has(key: string) {
    this.asked.add(key)
    return super.has(key)
  }
}

describe.each(DIALECTS)('%s', (_dialect, fixtures) => {
  test.each(fixtures)('$guarantee', ({ sent, view }) => {
    expect(viewSpan(contextOf(sent))).toEqual(view)
  })
})

test.each(ALL)('the view is the same when only the wanted attributes were decoded: $sent.name', ({ sent }) => {
  const body = encodeTraces([contextOf(sent)])
  const [whole] = [...decodeTraces(body)]
  const [wanted] = [...decodeTraces(body, createAttributeFilter(WANTED_KEYS, WANTED_PREFIXES))]
  expect(wanted!.span.attributes.size).toBeLessThanOrEqual(whole!.span.attributes.size)
  expect(viewSpan(wanted!)).toEqual(viewSpan(whole!))
})

test('a view reads no span attribute that is not on the list of wanted keys', () => {
  const wanted = new Set(WANTED_KEYS)
  for (const { sent } of ALL) {
    const ctx = contextOf(sent)
    const attributes = new AskedMap(ctx.span.attributes)
    viewSpan({ ...ctx, span: { ...ctx.span, attributes } })
    expect([...attributes.asked].filter((key) => !wanted.has(key))).toEqual([])
  }
})

test('a resource read once gives the same views as one read for each span', () => {
  for (const { sent } of ALL) {
    const ctx = contextOf(sent)
    expect(viewSpan(ctx, viewResource(ctx.resource))).toEqual(viewSpan(ctx))
  }
})

test('every field of a view that is known says where it was read', () => {
  for (const { view } of ALL) {
    for (const field of [
      'agent',
      'tool',
      'model',
      'provider',
      'session',
      'user',
      'release',
      'environment',
      'cost_usd',
    ] as const) {
      expect(view.derived_from[field] !== undefined).toBe(view[field] !== null)
    }
    expect(view.derived_from.operation).toBeDefined()
  }
})
