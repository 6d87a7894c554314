import { expect, test } from '@jest/globals'
import { createRejectionLog } from './rejection-log.ts'
import { createRejections } from './rejections.ts'

function rejected(reason: string, count: number, traceId = 'ab') {
  const rejections = createRejections()
  for (let n = 0; n < count; n++) rejections.add(reason, `${traceId}${n}`)
  return rejections
}

test('spans add up by project and reason, with one example of a trace and the last exporter', () => {
  const log = createRejectionLog()
  log.noteSpans('p-1', 'sdk/1', rejected('span_id_empty', 2))
  log.noteSpans('p-1', 'sdk/2', rejected('span_id_empty', 3, 'cd'))
  log.noteSpans('p-2', '', rejected('span_id_empty', 1))
  expect(log.drain()).toEqual([
    { what: 'spans', project_id: 'p-1', reason: 'span_id_empty', count: 5, trace_id: 'ab0', user_agent: 'sdk/2' },
    { what: 'spans', project_id: 'p-2', reason: 'span_id_empty', count: 1, trace_id: 'ab0' },
  ])
  expect(log.drain()).toEqual([])
})

test('requests add up by project and code, those of unknown senders too', () => {
  const log = createRejectionLog()
  for (let n = 0; n < 1_000_000; n++) log.noteRequest(null, 'invalid_api_key')
  log.noteRequest('p-1', 'malformed_json')
  expect(log.drain()).toEqual([
    { what: 'requests', project_id: null, reason: 'invalid_api_key', count: 1_000_000 },
    { what: 'requests', project_id: 'p-1', reason: 'malformed_json', count: 1 },
  ])
})

test('however many projects are refused, the entries are few and the counts add up', () => {
  const log = createRejectionLog(3)
  for (let n = 0; n < 1000; n++) log.noteRequest(`p-${n}`, 'malformed_json')
  const entries = log.drain()
  expect(entries).toHaveLength(4)
  expect(entries[0]).toEqual({ what: 'requests', project_id: null, reason: 'other', count: 997 })
  expect(entries.reduce((sum, { count }) => sum + count, 0)).toBe(1000)
})
