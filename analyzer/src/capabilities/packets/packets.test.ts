import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startTestAnalyzer, type TestAnalyzer } from '../../start/analyzer.fixture.ts'
import { createPacketQueries, type NewPacket } from './packets.queries.ts'

let analyzer: TestAnalyzer
beforeEach(async () => {
  analyzer = await startTestAnalyzer()
})
afterEach(() => analyzer.end())

const packet = (nth: number, more: Partial<NewPacket> = {}): NewPacket => ({
  packetId: `pkt_${nth}`,
  projectNo: 1,
  createdAtMs: nth,
  sinceMinutes: 60,
  fromMinute: 0,
  toMinute: 60,
  status: 'observe_more',
  telemetryRead: 1,
  failures: 0,
  body: JSON.stringify({ nth, text: 'ü \u2028 💥'.repeat(50) }),
  ...more,
})

test('a packet is read byte for byte as it was first stored, by its own project alone', () => {
  const { store, find } = createPacketQueries(analyzer.control, { retentionDays: 14 })
  const { body } = packet(1)
  expect(store(packet(1))).toBe(body)
  expect(store(packet(1, { body: 'another', createdAtMs: 5 }))).toBe(body)
  expect([find(1, 'pkt_1'), find(2, 'pkt_1'), find(1, 'pkt_2')]).toEqual([body, null, null])
})

test('one that an earlier version stored as text is still read', () => {
  const { store, find } = createPacketQueries(analyzer.control, { retentionDays: 14 })
  store(packet(1))
  analyzer.control.sqlite.prepare("update packet set zipped = null, body = 'as text'").run()
  expect(find(1, 'pkt_1')).toBe('as text')
})

test.each([
  [1, 2880],
  [14, 21_600],
])('with a retention of %i days an agent that asks every minute finds each of its %i packets', (retentionDays, asked) => {
  const { store, find } = createPacketQueries(analyzer.control, { retentionDays })
  const add = analyzer.control.sqlite.prepare(
    `with recursive nth (value) as (select 1 union all select value + 1 from nth where value < ?)
       insert into packet select 'pkt_' || value, 1, value, 60, 0, 60, 'observe_more', 1, 0, 'old', null from nth`,
  )
  add.run(asked - 1)
  store(packet(asked))
  expect([find(1, 'pkt_1'), find(1, `pkt_${asked}`)]).toEqual(['old', packet(asked).body])
  store(packet(asked + 1))
  expect([find(1, 'pkt_1'), find(1, 'pkt_2')]).toEqual([null, 'old'])
})
