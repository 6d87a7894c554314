import { expect, test } from '@jest/globals'
import { agent, found, judge, tool } from './agent.fixture.ts'

const signalOf = (result: string) =>
  found(
    judge([agent('agent'), tool('t', 'look', { 'gen_ai.tool.call.arguments': '{}', 'gen_ai.tool.call.result': result })])
      .failures,
  )

test.each<[what: string, result: string]>([
  ['an error object', '{"error":"no such order"}'],
  ['an error object with a code', '{"error":{"code":17,"message":"no such order"}}'],
  ['a status and its message', '{"status":"error","error_message":"no such order"}'],
  ['no success, and why', '{"success":false,"message":"no such order"}'],
  ['the same, printed as a text', JSON.stringify('Error: no such order')],
  ['the same, in a wrapper', '{"result":"Error: no such order"}'],
  ['an error object in a wrapper', JSON.stringify({ result: '{"error":"no such order"}' })],
  ['what a framework says in its place', 'An error occurred while running the tool. Please try again. Error: no such order'],
])('a tool failed that answers %s', (_what, result) => expect(signalOf(result)).toEqual(['tool_failure t']))

test.each<[what: string, signal: string, result: string]>([
  ['a title', 'auth_failure', 'Address: https://shop.example\nTitle: Error 403\n=====\n## Error 403'],
  ['a sentence that begins with it', 'timeout', 'Request timed out after 30 s'],
  ['a member of an error object', 'auth_failure', '{"error":"HTTP 403: Forbidden"}'],
  ['a short lead', 'auth_failure', 'Failed to fetch the page: 403 Client Error: Forbidden for url: https://shop.example'],
])('a tool was refused or out of time that says so in %s', (_what, signal, result) =>
  expect(signalOf(result)).toEqual([`${signal} t`]),
)

test.each<[what: string, result: string]>([
  [
    'lines of a log',
    '2026-03-01T10:22:01Z ERROR pay: request timed out after 30s\n2026-03-01T10:22:04Z WARN auth: 401 Unauthorized',
  ],
  ['a line of a log without a date', 'ERROR pay: request timed out after 30s'],
  ['a list of errors', '[{"title":"Error: cannot log in","last":"401 Unauthorized"}]'],
  ['data with an error that is none', '{"items":[{"id":7}],"error":null}'],
  ['data beside an old error', '{"error":"timed out after 3 s","items":[{"id":7}]}'],
  ['a state', '{"status":"error","since":"10:00"}'],
  ['a negative answer', '{"success":false}'],
  ['a page that explains', '# Status codes\n\nA client that is not logged in gets 401 Unauthorized.'],
  ['code', 'def load(path):\n    try:\n        return parse(path)\n    except TimeoutError:\n        raise'],
  ['the outcome of a test run', '3 passed, 1 failed\nFAILED test_load - AssertionError: 1 != 2'],
  ['nothing', ''],
])('a tool went well that answers %s', (_what, result) => expect(signalOf(result)).toEqual([]))
