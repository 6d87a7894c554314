import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { OtlpValue } from '../otlp/model.ts'
import { toJsonValue, toShownValue } from './json-value.ts'

const map = (entries: [string, OtlpValue][]): OtlpValue => new Map(entries)

describe('a value as JSON says it', () => {
  test.each<[OtlpValue, unknown]>([
    [null, null],
    [false, false],
    [0, 0],
    ['', ''],
    [9_007_199_254_740_993n, '9007199254740993'],
    [-(2n ** 63n), '-9223372036854775808'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [new Uint8Array([0, 255]), 'AP8='],
    [new Uint8Array(), ''],
    ['a\0b\ud800', 'a\ufffdb\ufffd'],
    [[], []],
    [
      [1, 'a', [null]],
      [1, 'a', [null]],
    ],
    [map([['a', map([['b', [true]]])]]), { a: { b: [true] } }],
  ])('%p', (value, json) => {
    expect(JSON.parse(JSON.stringify(toJsonValue(value)))).toEqual(json)
  })

  test('`__proto__` is only a key', () => {
    const shown = toJsonValue(
      map([
        ['__proto__', map([['admin', true]])],
        ['constructor', 1],
      ]),
    )
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"admin":true},"constructor":1}')
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
  })

  test('a value deeper than the door lets in is cut, not a full stack', () => {
    let deep: OtlpValue = 'x'
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(JSON.stringify(toJsonValue(deep)).length).toBeLessThan(200)
  })
})

describe('a value that is too large', () => {
  test('a text is cut between characters, and the mark says how many bytes are missing', () => {
    const budget = { bytes: 10, isCut: false }
    expect(toShownValue('😀😀😀😀', budget)).toBe('😀😀…[8 bytes cut]')
    expect(budget.isCut).toBe(true)
  })

  test('a text that fits to the byte is whole', () => {
    const budget = { bytes: 16, isCut: false }
    expect(toShownValue('😀😀😀😀', budget)).toBe('😀😀😀😀')
    expect(budget.isCut).toBe(false)
  })

  test('bytes are cut and marked', () => {
    expect(toShownValue(new Uint8Array(30), { bytes: 8, isCut: false })).toBe('AAAAAAAA…[24 bytes cut]')
  })

  test('a list and an object end with a mark', () => {
    const list = toShownValue(
      Array.from({ length: 1_000 }, () => 'abcdefgh'),
      { bytes: 100, isCut: false },
    ) as unknown[]
    expect(list.length).toBeLessThan(20)
    expect(list.at(-1)).toBe('…[cut]')
    const object = toShownValue(new Map(Array.from({ length: 1_000 }, (_, i) => [`key${i}`, i] as const)), {
      bytes: 100,
      isCut: false,
    })
    expect(Object.keys(object as object).at(-1)).toBe('…')
  })

  test('nothing shown is much larger than its budget, and all of it is well-formed JSON', () => {
    const value = fc.letrec<{ value: OtlpValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.double(),
        fc.bigInt(),
        fc.uint8Array({ maxLength: 50 }),
        fc.array(tie('value'), { maxLength: 8 }),
        fc.array(fc.tuple(fc.string({ maxLength: 40 }), tie('value')), { maxLength: 8 }).map((entries) => new Map(entries)),
      ),
    })).value
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 300 }), (sent, bytes) => {
        const text = JSON.stringify(toShownValue(sent, { bytes, isCut: false }))
        expect(text.isWellFormed()).toBe(true)
        // Escapes and marks may add to the budget, but no value may pass it by as a whole.
        expect(text.length).toBeLessThan(bytes * 6 + 600)
      }),
    )
  })
})
