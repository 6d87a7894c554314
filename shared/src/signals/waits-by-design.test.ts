import { expect, test } from '@jest/globals'
import { waitsByDesign } from './waits-by-design.ts'

test.each([
  ['tool', 'execute_tool human_approval', true],
  ['tool', 'execute_tool ask_user', true],
  ['tool', 'execute_tool waitForApproval', true],
  ['tool', 'execute_tool search', false],
  ['http', 'GET /events/stream', true],
  ['http', 'GET /ws', true],
  ['http', 'GET /users/:id', false],
  ['chat', 'chat stream', false],
  ['messaging', 'receive orders', true],
  ['messaging', 'process orders', false],
  ['database', 'SELECT orders', false],
  ['rpc', 'shop.Stock/WatchItems', true],
  ['rpc', 'shop.Stock/Reserve', false],
] as const)('an operation of kind %s named "%s" waits by design: %s', (kind, operation, waits) => {
  expect(waitsByDesign({ kind, operation })).toBe(waits)
})
