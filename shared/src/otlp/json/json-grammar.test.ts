import { describe, expect, test } from '@jest/globals'
import { OtlpDecodeError } from '../decode-error.ts'
import { decodeTraces } from '../decode-traces.ts'
import { REJECT_REASONS, scanTraces } from '../scan-traces.ts'
import { type TranscodedTraces, transcodeTracesJson } from '../transcode-json.ts'

const limits = { jsonDepthMax: 300, jsonValuesMax: 4_000_000 }
const IDS = '"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"'

function transcode(json: string): TranscodedTraces {
  return transcodeTracesJson(Buffer.from(json), limits)
}

function requestOf(...spans: string[]): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join(',')}]}]}]}`
}

function errorCode(json: string): string | undefined {
  try {
    transcode(json)
    return undefined
  } catch (error) {
    if (error instanceof OtlpDecodeError) return error.code
    throw error
  }
}

describe('envelopes', () => {
  test.each([
    ['an empty object', '{}', 0],
    ['a byte order mark', `\ufeff${requestOf(`{${IDS}}`)}`, 1],
    ['white space all around', ` \r\n\t${requestOf(`{${IDS}}`)}\n`, 1],
    ['null everywhere', '{"resourceSpans":[null,{"resource":null,"scopeSpans":[null,{"scope":null,"spans":[null]}]}]}', 0],
    ['resourceSpans null', '{"resourceSpans":null}', 0],
    ['unknown fields of any shape', `{"a":[{"b":[]},"c",1.5e-7,true,null],"resourceSpans":[]}`, 0],
    [
      'names of before 2022',
      `{"resourceSpans":[{"instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"old"},"spans":[{${IDS}}]}]}]}`,
      1,
    ],
    ['names with escapes', `{"resource\\u0053pans":[{"scopeSpans":[{"spans":[{${IDS}}]}]}]}`, 1],
    ['a resource behind its scopes', `{"resourceSpans":[{"scopeSpans":[{"spans":[{${IDS}}]}],"resource":{"attributes":[]}}]}`, 1],
  ])('%s', (_, json, count) => {
    expect([...decodeTraces(transcode(json).body)]).toHaveLength(count)
  })

  test.each([
    ['nothing', ''],
    ['white space', '  '],
    ['a number', '1234'],
    ['an array', '[]'],
    ['null', 'null'],
    ['text', 'resourceSpans'],
    ['a body that is cut off', requestOf(`{${IDS}}`).slice(0, -3)],
    ['a string that is cut off', '{"resourceSpans":[{"schemaUrl":"x'],
    ['an escape that is cut off', '{"a":"\\'],
    ['something behind the body', '{} {}'],
    ['a comment', '{/* hi */}'],
    ['a trailing comma', '{"resourceSpans":[],}'],
    ['a trailing comma in a list', '{"resourceSpans":[{},]}'],
    ['a leading comma', '{,"a":1}'],
    ['two commas', '{"a":[1,,2]}'],
    ['a missing comma', '{"a":[1 2]}'],
    ['a missing colon', '{"a" 1}'],
    ['a missing value', '{"a":}'],
    ['a key without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['the wrong bracket', '{"a":[1}}'],
    ['resourceSpans twice', '{"resourceSpans":[],"resourceSpans":[]}'],
    ['resourceSpans twice under two names', '{"resourceSpans":[],"resource_spans":[]}'],
    ['resourceSpans as a number', '{"resourceSpans":5}'],
    ['spans as an object', '{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}'],
    ['a span as a number', requestOf('5')],
    ['NaN bare', '{"a":NaN}'],
    ['a number with a leading zero', '{"a":01}'],
    ['a number with a plus', '{"a":+1}'],
    ['a number that ends in a point', '{"a":1.}'],
    ['a number without digits', '{"a":-}'],
    ['an exponent without digits', '{"a":1e}'],
    ['a word that only begins like true', '{"a":trve}'],
    ['a control character in a text', '{"a":"\n"}'],
    ['a control character in a name', requestOf(`{${IDS},"name":"\t"}`)],
    ['an unknown escape', '{"a":"\\x"}'],
    ['an unknown escape in an unknown key', '{"a":{"\\x":1}}'],
    ['an unknown escape in a name', requestOf(`{${IDS},"name":"\\u00zz"}`)],
  ])('%s is malformed', (_, json) => {
    expect(errorCode(json)).toBe('malformed_json')
  })
})

describe('limits', () => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

  test('300 levels are read, 301 are too deep', () => {
    expect(errorCode(nested(300))).toBeUndefined()
    expect(errorCode(nested(301))).toBe('too_deep')
    expect(errorCode('['.repeat(1_000_000))).toBe('malformed_json')
    expect(errorCode(`{"a":${'{"b":'.repeat(1_000_000)}`)).toBe('too_deep')
  })

  test.each([
    ['array', '{"arrayValue":{"values":[', ']}}'],
    ['kvlist', '{"kvlistValue":{"values":[{"key":"k","value":', '}]}}'],
  ])('levels of %s values count as in protobuf: 64 are kept, 65 refuse the span', (_, open, close) => {
    const reasons = [63, 64, 65].map((levels) => {
      const value = `${open.repeat(levels - 1)}{"stringValue":"deep"}${close.repeat(levels - 1)}`
      const { body } = transcode(requestOf(`{${IDS},"attributes":[{"key":"k","value":${value}}]}`))
      return REJECT_REASONS[scanTraces(body, { anyValueDepthMax: 64 }).reject[0]!]
    })
    expect(reasons).toEqual(['accepted', 'accepted', 'value_too_deep'])
  })

  test('a body of more values than allowed is given up early', () => {
    const json = `{"resourceSpans":[${'{},'.repeat(1000)}{}]}`
    const code = (jsonValuesMax: number) => {
      try {
        transcodeTracesJson(Buffer.from(json), { jsonDepthMax: 300, jsonValuesMax })
        return 'read'
      } catch (error) {
        return (error as OtlpDecodeError).code
      }
    }
    expect([code(1003), code(1002)]).toEqual(['read', 'too_many_values'])
  })
})
