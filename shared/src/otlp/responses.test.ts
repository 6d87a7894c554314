import { describe, expect, test } from '@jest/globals'
import { int, join, len } from './fixtures/wire-fields.ts'
import { encodeExportResponse, encodeStatus } from './responses.ts'

const json = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8')

describe('a full success says nothing at all', () => {
  test.each([null, { rejected: 0, message: '' }])('%j', (partial) => {
    expect(json(encodeExportResponse('traces', partial, 'json'))).toBe('{}')
    expect(encodeExportResponse('traces', partial, 'protobuf')).toEqual(new Uint8Array(0))
  })
})

describe('a partial success', () => {
  test.each([
    ['traces', '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"why"}}'],
    ['logs', '{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"why"}}'],
    ['metrics', '{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"why"}}'],
  ] as const)('%s: the count is text in JSON, since it has 64 bits', (signal, text) => {
    const partial = { rejected: 3, message: 'why' }
    expect(json(encodeExportResponse(signal, partial, 'json'))).toBe(text)
    expect(encodeExportResponse(signal, partial, 'protobuf')).toEqual(len(1, int(1, 3), len(2, 'why')))
  })

  test('a warning rejects nothing', () => {
    const partial = { rejected: 0, message: 'not kept' }
    expect(json(encodeExportResponse('logs', partial, 'json'))).toBe('{"partialSuccess":{"errorMessage":"not kept"}}')
    expect(encodeExportResponse('logs', partial, 'protobuf')).toEqual(len(1, len(2, 'not kept')))
  })

  test('a message is cut, and never into half a character', () => {
    const message = `${'x'.repeat(1022)}😀${'y'.repeat(100)}`
    const text = JSON.parse(json(encodeExportResponse('traces', { rejected: 1, message }, 'json'))).partialSuccess.errorMessage
    expect(text.length).toBeLessThanOrEqual(1024)
    expect(text.isWellFormed()).toBe(true)
  })
})

test('a status is google.rpc.Status in the encoding of the request', () => {
  expect(json(encodeStatus({ code: 3, message: 'bad "body"' }, 'json'))).toBe('{"code":3,"message":"bad \\"body\\""}')
  expect(encodeStatus({ code: 3, message: 'bad' }, 'protobuf')).toEqual(join(int(1, 3), len(2, 'bad')))
  expect(encodeStatus({ code: 0, message: '' }, 'protobuf')).toEqual(new Uint8Array(0))
})

test('a status says when to try again, or what is wrong', () => {
  const retry = { code: 14, message: 'full', detail: { kind: 'retry_info', afterS: 2 } } as const
  expect(JSON.parse(json(encodeStatus(retry, 'json')))).toEqual({
    code: 14,
    message: 'full',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' }],
  })
  expect(encodeStatus(retry, 'protobuf')).toEqual(
    join(int(1, 14), len(2, 'full'), len(3, len(1, 'type.googleapis.com/google.rpc.RetryInfo'), len(2, len(1, int(1, 2))))),
  )
  const bad = { code: 3, message: 'bad', detail: { kind: 'bad_request', description: 'at byte 3' } } as const
  expect(JSON.parse(json(encodeStatus(bad, 'json'))).details).toEqual([
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ description: 'at byte 3' }] },
  ])
  expect(encodeStatus(bad, 'protobuf')).toEqual(
    join(
      int(1, 3),
      len(2, 'bad'),
      len(3, len(1, 'type.googleapis.com/google.rpc.BadRequest'), len(2, len(1, len(2, 'at byte 3')))),
    ),
  )
})
