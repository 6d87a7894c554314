import { describe, expect, test } from '@jest/globals'
import { detect } from './detect.ts'
import { fingerprint } from './fingerprint.ts'
import { CLIENT, ERROR, type SpanSketch, sketchSpan, sketchView } from './trace.fixture.ts'

function keysOf(sketch: SpanSketch, project = 'shop-1') {
  const view = sketchView(sketch.view)
  const { key, parentKey, ...rest } = fingerprint(project, view, detect(sketchSpan(sketch), view, new Set())!)
  return { key: Buffer.from(key).toString('hex'), parentKey: Buffer.from(parentKey).toString('hex'), ...rest }
}

const failure: SpanSketch = { status: ERROR, exception: ['ValueError', 'order 17 is gone'], view: { operation: 'POST /orders' } }

test('a key is 128 bits and always the same', () => {
  expect(keysOf(failure).key).toMatch(/^[0-9a-f]{32}$/)
  expect(keysOf(failure)).toEqual(keysOf({ ...failure }))
})

test('the key of a known failure never changes within a scheme', () => {
  expect(keysOf(failure)).toMatchObject({ key: KNOWN_KEY, parentKey: KNOWN_PARENT })
})

describe('one pain', () => {
  test.each<[string, SpanSketch]>([
    ['other values', { ...failure, exception: ['ValueError', 'order 18 is gone'] }],
    ['the type written before the message', { ...failure, exception: ['ValueError', 'ValueError: order 19 is gone'] }],
    [
      'the status text instead of an exception',
      {
        ...failure,
        exception: undefined,
        attributes: { 'exception.type': 'ValueError' },
        message: 'ValueError: order 20 is gone',
      },
    ],
  ])('%s', (_what, other) => {
    expect(keysOf(other).key).toBe(keysOf(failure).key)
  })

  test('a service named after its container', () => {
    const at = (service: string) => keysOf({ ...failure, view: { service } }).key
    expect(at('fb26c0381621')).toBe(at('c09a5098c122'))
    expect(at('shop-7d4b9c6f5-x2x9z')).toBe(at('shop-6c5d8f7b4-abcde'))
    expect(at('shop')).not.toBe(at('cart'))
  })
})

describe('another pain under another parent', () => {
  test.each<[string, SpanSketch]>([
    ['another error class', { ...failure, exception: ['KeyError', 'order 17 is gone'] }],
    ['another operation', { ...failure, view: { operation: 'GET /orders' } }],
    ['another service', { ...failure, view: { ...failure.view, service: 'cart' } }],
    ['another span kind', { ...failure, kind: CLIENT }],
    ['another code', { ...failure, attributes: { 'http.response.status_code': 503 } }],
  ])('%s', (_what, other) => {
    expect(keysOf(other).key).not.toBe(keysOf(failure).key)
    expect(keysOf(other).parentKey).not.toBe(keysOf(failure).parentKey)
  })

  test('another project', () => {
    expect(keysOf(failure, 'shop-2').parentKey).not.toBe(keysOf(failure).parentKey)
  })
})

test('an argument that differs makes sibling pains with one parent', () => {
  const pains = ["''", "'page_down'", "'arguments'"].map((name) =>
    keysOf({
      status: ERROR,
      exception: ['TypeError', `PageDownTool.forward() got an unexpected keyword argument ${name}`],
      view: { kind: 'tool' },
    }),
  )
  expect(new Set(pains.map(({ key }) => key)).size).toBe(3)
  expect(new Set(pains.map(({ parentKey }) => parentKey)).size).toBe(1)
})

test('the same words from two places are two pains with one parent', () => {
  const at = (place: string) =>
    keysOf({ ...failure, exception: ['ValueError', 'gone', `ValueError: gone\n    at ${place} (/srv/app.js:1:1)`] })
  expect(at('pay').key).not.toBe(at('ship').key)
  expect(at('pay').parentKey).toBe(at('ship').parentKey)
})

test("a user's own fingerprint goes before words, place and service", () => {
  const own = { 'loopkit.fingerprint': 'checkout-broken' }
  const a = keysOf({ ...failure, attributes: own })
  const b = keysOf({ status: ERROR, exception: ['KeyError', 'other'], attributes: own, view: { service: 'cart' } })
  expect(a.key).toBe(b.key)
  expect(a.key).not.toBe(keysOf(failure).key)
})

test('the steps tell how the key was made', () => {
  expect(keysOf(failure).steps.map(({ step }) => step)).toEqual([
    'scheme',
    'signal',
    'service',
    'span kind',
    'operation',
    'error class',
    'template',
  ])
})

const KNOWN_KEY = 'db3928a78667489237821e667a315126'
const KNOWN_PARENT = '2f1944aac5ecc7dab5db75ced305aa89'

test('beside the key stands the one that the scheme before gave; with the first scheme there is none', () => {
  const view = sketchView(failure.view)
  const detection = detect(sketchSpan(failure), view, new Set())!
  const former = new Uint8Array(16).fill(7)
  expect(fingerprint('shop-1', view, detection).previousKey).toBeNull()
  const next = fingerprint('shop-1', view, detection, () => former)
  expect(next).toEqual({ ...fingerprint('shop-1', view, detection), previousKey: former })
})
