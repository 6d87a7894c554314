import { describe, expect, test } from '@jest/globals'
import { chooseAttributes, comparableValue, DERIVED_MARK, isComparable } from './contrast-attributes.ts'
import { type ContrastRecord, contrastRecords } from './contrast-records.ts'

type Values = Record<string, string>
const row = (values: Values) => new Map(Object.entries(values))
const record = (recordId: string, values: Values): ContrastRecord => ({ recordId, attributes: row(values) })
const many = (count: number, values: (i: number) => Values, name = 'r') =>
  Array.from({ length: count }, (_, i) => record(`${name}${i}`, values(i)))

describe('a value is compared', () => {
  test.each<[string, unknown, string | null]>([
    ['region', 'eu', '"eu"'],
    ['flag', true, 'true'],
    ['shard', 3, '3'],
    ['shard', '3', '"3"'],
    ['big', 9007199254740993n, '"9007199254740993"'],
    ['order.status', 'open', '"open"'],
    ['note', 'x'.repeat(257), null],
    ['note', '', null],
    ['note', ['a'], null],
    ['note', null, null],
    ['note', 'a\u202eb', '"a\\\\u{202e}b"'],
    ['a\u202eb', 'x', null],
    ['error.type', 'Oops', null],
    ['exception.message', 'x', null],
    ['app.error_code', 7, null],
    ['http.response.status_code', 500, null],
    ['http.status_code', 500, null],
    ['rpc.grpc.status_code', 14, null],
    ['otel.status_description', 'x', null],
    ['gen_ai.tool.call.result', 'no', null],
    ['gen_ai.usage.output_tokens', 3, null],
    ['user.id', 'u1', null],
    ['session.id', 's1', null],
    ['gen_ai.request.model', 'm', '"m"'],
  ])('%s %p as %p', (key, value, expected) => {
    expect(isComparable(key) ? comparableValue(value) : null).toBe(expected)
  })
})

describe('attributes are chosen', () => {
  test.each<[string, Values[], Values[], string[]]>([
    ['what sets them apart', [{ a: '1' }, { a: '1' }], [{ a: '2' }, { a: '2' }], ['a']],
    ['not what is the same in all', [{ a: '1' }, { a: '1' }], [{ a: '1' }, { a: '1' }], []],
    ['not what differs in nearly every record', [{ a: '1' }, { a: '2' }], [{ a: '3' }, { a: '3' }], []],
    ['what only some have', [{ a: '1' }, { a: '1' }], [{}, {}], ['a']],
    ['one of two that say the same', [{ a: '1', b: 'x' }], [{ a: '2', b: 'y' }, {}, {}], ['a']],
    ['the one that was sent before a derived one', [{ [`${DERIVED_MARK}a`]: '1', b: 'x' }], [{}, {}], ['b']],
  ])('%s', (_, failing, healthy, expected) => {
    expect(chooseAttributes(failing.map(row), healthy.map(row))).toEqual(expected)
  })

  test('thirty-two at most, those that tell most', () => {
    const noise = (i: number) =>
      Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`n${n}`, String((i * i + n * i + n) % 19)]))
    const failing = Array.from({ length: 40 }, (_, i) => row({ ...noise(i), z: 'bad' }))
    const healthy = Array.from({ length: 40 }, (_, i) => row({ ...noise(i + 40), z: 'good' }))
    expect(chooseAttributes(failing, healthy)).toContain('z')
    expect(chooseAttributes(failing, healthy).length).toBeLessThanOrEqual(32)
    const wide = (i: number) => Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`w${n}`, String(i % (n + 2))]))
    const rows = Array.from({ length: 200 }, (_, i) => row({ ...wide(i), z: i < 100 ? 'bad' : 'good' }))
    const names = chooseAttributes(rows.slice(0, 100), rows.slice(100))
    expect([names.length, names.includes('z')]).toEqual([32, true])
  })
})

describe('records are contrasted', () => {
  const eu = (i: number, eu: number) => ({ region: i < eu ? '"eu"' : '"us"', pod: `"p${i % 3}"` })

  test('what failures share comes first, with its shares and records of both sides', () => {
    const { contrasts, reason } = contrastRecords(
      many(20, (i) => eu(i, 18), 'f'),
      many(40, (i) => eu(i, 4), 'h'),
    )
    expect(reason).toBeNull()
    expect(contrasts![0]).toMatchObject({
      attributes: { region: 'eu' },
      share_failing: 0.9,
      share_healthy: 0.1,
      lift: 9,
      n: 60,
      examples: ['f0', 'f1', 'f2', 'f3', 'f4'],
      counter_examples: ['h0', 'h1'],
    })
    expect(contrasts![0]!.p_adjusted).toBeLessThan(0.01)
  })

  test.each<[string, number, number, number, number, string]>([
    ['four failing', 4, 40, 4, 0, 'no_contrast_samples'],
    ['four healthy', 40, 4, 40, 0, 'no_contrast_samples'],
    ['no difference', 40, 40, 20, 20, 'unexplained'],
    ['a difference in few of them', 40, 40, 3, 0, 'unexplained'],
  ])('%s say nothing, and why', (_, failing, healthy, ofFailing, ofHealthy, reason) => {
    const said = contrastRecords(
      many(failing, (i) => eu(i, ofFailing)),
      many(healthy, (i) => eu(i, ofHealthy)),
    )
    expect([said.reason, said.contrasts?.length ?? 0]).toEqual([reason, 0])
  })

  test('a condition that every such record meets anyway is no answer of its own', () => {
    const of = (i: number, version: string) => ({
      currency: '"JPY"',
      version: `"${version}"`,
      region: '"eu"',
      pod: `"p${i % 3}"`,
    })
    const { contrasts } = contrastRecords(
      many(10, (i) => of(i, '2.1')),
      many(40, (i) => ({ ...of(i, i % 2 ? '2.0' : '2.1'), currency: '"EUR"', region: `"r${i % 4}"` })),
    )
    const shown = contrasts!.map(({ attributes, share_failing, share_healthy }) => [
      Object.keys(attributes),
      share_failing,
      share_healthy,
    ])
    expect(shown[0]).toEqual([['currency'], 1, 0])
    expect(
      shown.filter(([names, failing, healthy]) => String(names).includes('currency') && failing === 1 && healthy === 0),
    ).toHaveLength(1)
  })

  test('two causes explain together what each explains in part', () => {
    const of = (region: string, version: string) => ({ region: `"${region}"`, version: `"${version}"` })
    const failing = many(60, (i) =>
      i % 5 < 2 ? of('eu', `${i % 7}`) : i % 5 < 4 ? of(`r${i % 9}`, 'bad') : of(`r${i % 9}`, `${i % 7}`),
    )
    const healthy = many(90, (i) => of(`r${i % 9}`, `${i % 7}`))
    const { contrasts } = contrastRecords(failing, healthy)
    expect(contrasts!.map(({ attributes }) => attributes)).toEqual(expect.arrayContaining([{ region: 'eu' }, { version: 'bad' }]))
    expect(contrasts!.every(({ share_failing }) => share_failing < 0.5)).toBe(true)
  })

  test('the order of attributes in records changes nothing', () => {
    const turned = (values: Values) => Object.fromEntries(Object.entries(values).reverse())
    const [f, h] = [(i: number) => eu(i, 18), (i: number) => eu(i, 4)]
    expect(
      contrastRecords(
        many(20, (i) => turned(f(i))),
        many(40, (i) => turned(h(i))),
      ),
    ).toEqual(contrastRecords(many(20, f), many(40, h)))
  })
})
