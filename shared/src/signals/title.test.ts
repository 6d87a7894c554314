import { expect, test } from '@jest/globals'
import { type TitleParts, titleOf } from './title.ts'

const template = "PageDownTool.forward() got an unexpected keyword argument ''"

test.each<[string, TitleParts]>([
  [
    `TypeError in PageDownTool: ${template}`,
    { signal: 'tool_failure', operation: 'execute_tool PageDownTool', errorType: 'TypeError', template },
  ],
  [
    'RateLimitError in chat',
    { signal: 'rate_limited', operation: 'chat', errorType: 'litellm.exceptions.RateLimitError', template: '' },
  ],
  ['Error (500) in POST /orders', { signal: 'error_status', operation: 'POST /orders', errorType: '500', template: '*' }],
  [
    'Dependency failure in GET cart: a b',
    { signal: 'dependency_failure', operation: 'GET cart', errorType: null, template: 'a\u0007\nb' },
  ],
  [
    'Truncated output (length) in chat: the answer was cut',
    { signal: 'truncated_output', operation: 'chat', errorType: 'length', template: 'the answer was cut' },
  ],
  ['Never ended in GET /cart', { signal: 'incomplete', operation: 'GET /cart', errorType: null, template: '' }],
])('%s', (title, parts) => {
  expect(titleOf(parts)).toBe(title)
})

test('a title is one bounded line', () => {
  expect(titleOf({ signal: 'exception', operation: 'x'.repeat(300), errorType: null, template: 'y\n'.repeat(300) })).toHaveLength(
    160,
  )
})
