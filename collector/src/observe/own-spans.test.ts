import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { addProject, startTestCollector, type TestCollector } from '../start/collector.fixture.ts'

let collector: TestCollector
let ownProjectNo = 0
beforeEach(async () => {
  collector = await startTestCollector()
  ownProjectNo = addProject(collector.control, { name: 'loopkit' })
})
afterEach(() => collector.stop())

const QUICKSTART = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"trace_1","spanId":"span_1","name":"tool_call_failed",
  "startTimeUnixNano":"1781856000000000000","status":{"code":2,"message":"tool failed"}}]}]}]}`

const stored = (projectNo: number) =>
  Number(collector.rows('select coalesce(sum(records), 0) as records from segment where project_no = ?', projectNo)[0]?.records)

test("a request becomes one span in the instance's own project, and that span none of its own", async () => {
  expect((await collector.send(QUICKSTART, { headers: { 'content-type': 'application/json' } })).status).toBe(200)
  await collector.restart()
  expect([stored(1), stored(ownProjectNo)]).toEqual([1, 1])
  await collector.restart()
  await collector.restart()
  expect(stored(ownProjectNo)).toBe(1)
})
