import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OtlpDecodeError } from '../../otlp/decode-error.ts'
import { decodeTraces } from '../../otlp/decode-traces.ts'
import { encodeTraces } from '../../otlp/encode-traces.ts'
import { arbitrarilyDamaged, arbitraryRequest, arbitraryValue } from '../../otlp/fixtures/arbitrary-spans.ts'
import type { OtlpAttributes, OtlpResource, OtlpScope, OtlpValue, SpanInContext } from '../../otlp/model.ts'
import { redactTraces } from './redact-traces.ts'
import { FRAMED, SECRETS, stars } from './secrets.fixture.ts'

/** The same spans with every text that may hold a secret mapped, in a fixed order; shared objects stay shared. */
function mapTexts(spans: readonly SpanInContext[], map: (text: string) => string): SpanInContext[] {
  const resources = new Map<OtlpResource, OtlpResource>()
  const scopes = new Map<OtlpScope, OtlpScope>()
  const mapValue = (value: OtlpValue): OtlpValue => {
    if (typeof value === 'string') return map(value)
    if (Array.isArray(value)) return value.map(mapValue)
    return value instanceof Map ? mapAttributes(value) : value
  }
  const mapAttributes = (attributes: OtlpAttributes): OtlpAttributes =>
    new Map([...attributes].map(([key, value]) => [key, mapValue(value)]))
  const withAttributes = <T extends { attributes: OtlpAttributes }>(one: T): T => ({
    ...one,
    attributes: mapAttributes(one.attributes),
  })
  return spans.map(({ resource, scope, span }) => {
    if (!resources.has(resource)) resources.set(resource, { ...withAttributes(resource), schemaUrl: map(resource.schemaUrl) })
    if (!scopes.has(scope)) {
      const { name, version, schemaUrl } = scope
      scopes.set(scope, { ...withAttributes(scope), name: map(name), version: map(version), schemaUrl: map(schemaUrl) })
    }
    return {
      resource: resources.get(resource)!,
      scope: scopes.get(scope)!,
      span: {
        ...withAttributes(span),
        name: map(span.name),
        traceState: map(span.traceState),
        status: { ...span.status, message: map(span.status.message) },
        events: span.events.map((event) => ({ ...withAttributes(event), name: map(event.name) })),
        links: span.links.map((link) => ({ ...withAttributes(link), traceState: map(link.traceState) })),
      },
    }
  })
}

describe('in any request', () => {
  const secret = fc.oneof(
    fc.constantFrom(...SECRETS).map(([keep, core]): [string, string, string] => [keep, core, '']),
    fc.constantFrom(...FRAMED.filter(([, , after]) => after !== '')),
  )

  test('a secret in any text is overwritten and everything else stays as it was', () => {
    const around = fc.constantFrom('', ' ', 'ü ', '("')
    fc.assert(
      fc.property(
        arbitraryRequest,
        fc.nat(),
        secret,
        around,
        fc.constantFrom('', ' ', '"', ' ü'),
        (spans, which, [keep, core, end], before, after) => {
          // A text that is nothing but a bearer credential is overwritten to its end, a quote behind it too.
          fc.pre(!(before === '' && after === '"' && /^bearer /i.test(keep)))
          let texts = 0
          mapTexts(spans, (text) => {
            texts++
            return text
          })
          const plant = (planted: string) => {
            let at = 0
            return mapTexts(spans, (text) => (at++ === which % Math.max(1, texts) ? planted : text))
          }
          const body = encodeTraces(plant(`${before}${keep}${core}${end}${after}`))
          expect(redactTraces(body)).toBe(texts > 0 ? 1 : 0)
          expect([...decodeTraces(body)]).toEqual(plant(`${before}${keep}${stars(core)}${end}${after}`))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a request without secrets is not touched', () => {
    fc.assert(
      fc.property(arbitraryRequest, (spans) => {
        const body = encodeTraces(spans)
        expect(redactTraces(body)).toBe(0)
        expect(Buffer.compare(body, encodeTraces(spans))).toBe(0)
      }),
    )
  })

  test('whatever stands under the name of a secret keeps its shape and length', () => {
    const hide = (value: OtlpValue): OtlpValue => {
      if (typeof value === 'string') return stars(value)
      if (value instanceof Uint8Array) return new Uint8Array(value.length).fill(0x2a)
      if (Array.isArray(value)) return value.map(hide)
      return value instanceof Map ? new Map([...value].map(([key, inner]) => [key, hide(inner)])) : value
    }
    fc.assert(
      fc.property(arbitraryRequest, arbitraryValue, (spans, value) => {
        const withSecret = (hidden: OtlpValue) =>
          spans.map(({ resource, scope, span }) => ({
            resource,
            scope,
            span: { ...span, attributes: new Map([...span.attributes, ['db.password', hidden]]) },
          }))
        const body = encodeTraces(withSecret(value))
        redactTraces(body)
        expect([...decodeTraces(body)]).toEqual(withSecret(hide(value)))
      }),
    )
  })

  test('damaged bytes are redacted or an OtlpDecodeError', () => {
    fc.assert(
      fc.property(arbitrarilyDamaged(arbitraryRequest.map(encodeTraces)), (body) => {
        try {
          redactTraces(body)
        } catch (error) {
          expect(error).toBeInstanceOf(OtlpDecodeError)
        }
      }),
    )
  })
})
