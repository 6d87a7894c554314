import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { locateSet, readJsonSet } from './read-set.ts'
import { findSets, tryMeasure } from './sets.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-sets-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const EMPTY: Record<string, string | Uint8Array> = {
  'message_pairs.json': '[]',
  'tau_airline_b.json': '[]',
  'who_and_when.json.gz': gzipSync('{}'),
  'kayenta.json': '[]',
  'stats_oracle.json': '{"rows":[]}',
  'trail/labels.json': '{}',
  'rs/labels.json': '[]',
  'tcpd/annotations.json': '{}',
  'loghub/none.csv': 'a,b\n1,2\n',
}

function write(files: Record<string, string | Uint8Array>, into: string): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, into, name, '..'), { recursive: true })
    writeFileSync(join(folder, into, name), content)
  }
  return join(folder, into)
}

const whyOf = (path: string) => findSets(path).present.map((set) => [set.name, tryMeasure(set)])

describe('another half of the sets', () => {
  test('is found under another name, packed or not', () => {
    const path = write(EMPTY, 'named')
    expect(locateSet(path, 'tau_airline.json.gz')).toBe(join(path, 'tau_airline_b.json'))
    expect(readJsonSet(join(path, 'who_and_when.json.gz'))).toEqual({})
    expect(locateSet(path, 'absent.json')).toBeNull()
  })

  test('that is absent is named, set by set', () => {
    expect(findSets(join(folder, 'nowhere'))).toMatchObject({ present: [], absent: { length: 9 } })
  })

  test('that holds nothing gets a reason in the place of figures', () => {
    const said = whyOf(write(EMPTY, 'empty'))
    expect(said).toHaveLength(9)
    for (const [name, answer] of said) expect([name, answer]).toEqual([name, { why: expect.stringMatching(/^no|^none/) }])
  })

  test('that is broken gets a reason, too', () => {
    const broken = Object.fromEntries(Object.keys(EMPTY).map((name) => [name, '{"a":']))
    for (const [name, answer] of whyOf(write(broken, 'broken')))
      expect([name, answer]).toEqual([name, { why: expect.any(String) }])
  })

  test('may have other columns, quoted lines and other names of groups', () => {
    const csv = 'LineId,Content,EventId\n1,"a, ""b"" 1",G1\n2,"a, ""b"" 2",G1\n3,other,G-x\n4,unlabelled,\n'
    const path = write({ 'loghub/New_9.log_structured.csv': csv }, 'columns')
    const [templates] = findSets(path).present
    expect(tryMeasure(templates!)).toMatchObject({
      note: expect.stringContaining('1 systems'),
      figures: [{ name: 'GA', value: 1 }, {}, {}, {}],
    })
  })
})
