import { expect, test } from '@jest/globals'
import { type RefusalCode, refused } from '../outcome.ts'
import { percentEncode, refusalTrailers } from './refusal-trailers.ts'

const details = (code: RefusalCode) =>
  Buffer.from(refusalTrailers(refused(code, 'why'))['grpc-status-details-bin'] ?? '', 'base64').toString('latin1')

test.each([
  ['queue_full', '14', 'google.rpc.RetryInfo'],
  ['in_flight_full', '14', 'google.rpc.RetryInfo'],
  ['storage_full', '14', 'google.rpc.RetryInfo'],
  ['control_unavailable', '14', 'google.rpc.RetryInfo'],
  ['stopping', '14', 'google.rpc.RetryInfo'],
  ['malformed_protobuf', '3', 'google.rpc.BadRequest'],
  ['too_deep', '3', 'google.rpc.BadRequest'],
  ['body_too_large', '8', null],
  ['missing_credentials', '16', null],
  ['invalid_api_key', '16', null],
  ['sandbox_expired', '7', null],
  ['encoding_unsupported', '12', null],
  ['internal', '13', null],
] as const)('%s is %s with %s', (code, status, detail) => {
  const trailers = refusalTrailers(refused(code, 'why'))
  expect(trailers).toMatchObject({ 'grpc-status': status, 'grpc-message': `${code}: why` })
  if (detail === null) expect(trailers).not.toHaveProperty('grpc-status-details-bin')
  else expect(details(code)).toContain(`type.googleapis.com/${detail}`)
})

test('the details are a google.rpc.Status with one Any: code, message, RetryInfo of one second', () => {
  const type = 'type.googleapis.com/google.rpc.RetryInfo'
  const any = `\x0a${String.fromCharCode(type.length)}${type}\x12\x04\x0a\x02\x08\x01`
  expect(details('queue_full')).toBe(`\x08\x0e\x12\x0fqueue_full: why\x1a${String.fromCharCode(any.length)}${any}`)
})

test('an unknown encoding says which are known', () => {
  expect(refusalTrailers(refused('encoding_unsupported', 'why'))).toHaveProperty('grpc-accept-encoding')
})

test('a long message stays far below 8 kB of headers', () => {
  const trailers = refusalTrailers(refused('malformed_protobuf', '€'.repeat(10_000)))
  expect(Object.values(trailers).join('').length).toBeLessThan(6_000)
})

test.each([
  ['plain text, ~!', 'plain text, ~!'],
  ['50%', '50%25'],
  ['a\nb\r\0', 'a%0Ab%0D%00'],
  ['Grüße', 'Gr%C3%BC%C3%9Fe'],
  ['\ud800', '%EF%BF%BD'],
  ['\x7f', '%7F'],
])('%j travels as %s', (text, encoded) => {
  expect(percentEncode(text)).toBe(encoded)
})
