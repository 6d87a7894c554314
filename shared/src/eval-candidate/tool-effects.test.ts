import { describe, expect, test } from '@jest/globals'
import type { JsonValue } from '../span/record.ts'
import { isChanging, outcomeOf, writesOf } from './tool-effects.ts'

test.each<[tool: string, changes: boolean]>([
  ['get_user', false],
  ['searchFlights', false],
  ['crm.listOrders', false],
  ['mcp__files__read_file', false],
  ['book_search', false],
  ['order_lookup', false],
  ['order_status_check', false],
  ['calculator', false],
  ['weather', false],
  ['update_order', true],
  ['cancelReservation', true],
  ['crm.orders.delete', true],
  ['mcp__mail__send_message', true],
  ['create_list', true],
  ['book_table', true],
  ['place_order', true],
  ['', false],
])('%s changes something: %p', (tool, changes) => expect(isChanging(tool)).toBe(changes))

describe('the state that a run left', () => {
  const call = (tool: string, given: JsonValue, failed = false) => ({ tool, arguments: given, failed })

  test('is the same in any order, spelling of members and numbers, and however often it was set', () => {
    const first = writesOf([call('set_seat', { id: 'a', seat: 3 }), call('cancel_trip', { id: 'b' })])
    const second = writesOf([
      call('cancel_trip', { id: ' b ', note: null }),
      call('set_seat', { seat: '3', id: 'a' }),
      call('set_seat', { id: 'a', seat: 3 }),
    ])
    expect(second).toEqual(first)
  })

  test('holds nothing that was only looked at, that failed, or that was only said', () => {
    const words = 'The customer asks for a person to look at this case'
    expect(
      writesOf([call('get_trip', { id: 'a' }), call('cancel_trip', { id: 'a' }, true), call('transfer', { summary: words })]),
    ).toEqual([])
  })

  test('keeps to whom something was said, and not in which words', () => {
    const to = (text: string) => writesOf([call('send_mail', { to: 'a@example.com', text })])
    expect(to('Dear customer, your trip is cancelled as you asked')).toEqual(
      to('Hello! We have cancelled the trip for you today'),
    )
    expect(to('a b c d e f')).not.toEqual(writesOf([call('send_mail', { to: 'b@example.com', text: 'a b c d e f' })]))
  })

  test('tells a change without arguments', () => expect(writesOf([call('submit_form', {})])).toHaveLength(1))

  test.each<[JsonValue]>([[null], ['not JSON'], [[1, [2]]], [{ __proto__: { a: 1 } }], [{ a: { b: [] } }]])(
    'reads %j without harm',
    (given) => expect(writesOf([call('set_it', given)]).length).toBeLessThanOrEqual(1),
  )
})

test('a run that called nothing changed nothing; one whose calls are not told cannot be said', () => {
  const run = { operations: null, isComplete: false, output: 'done' }
  expect([outcomeOf({ ...run, calls: [] }), outcomeOf({ ...run, calls: null })]).toEqual(['nothing_changed', null])
})
