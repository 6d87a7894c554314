import { describe, expect, test } from '@jest/globals'
import { checkRun } from './check-run.ts'
import { completeCandidate, draftAssertions } from './draft-assertions.ts'
import type { EvalAssertion, EvalCandidate, ObservedRun, RunOperation } from './model.ts'

const operation = (more: Partial<RunOperation> = {}): RunOperation => ({
  service: 'shop',
  operation: 'charge',
  signal: null,
  message: null,
  ...more,
})
const run = (more: Partial<ObservedRun> = {}): ObservedRun => ({
  operations: [operation()],
  isComplete: true,
  calls: null,
  output: null,
  ...more,
})
const target = 'shop: charge'
const writes = (...ids: string[]) => ids.map((id) => ({ tool: 'cancel_order', arguments: { id }, failed: false }))
const text = (output: string): ObservedRun => ({ operations: null, isComplete: false, calls: null, output })

describe('an assertion', () => {
  test.each<[name: string, EvalAssertion, ObservedRun, 'pass' | 'fail' | 'not_told']>([
    ['work that ran', { kind: 'operation_ran', target, expected: true }, run(), 'pass'],
    ['work that did not run', { kind: 'operation_ran', target, expected: true }, run({ operations: [] }), 'fail'],
    ['work of which text does not tell', { kind: 'operation_ran', target, expected: true }, text('ok'), 'not_told'],
    ['no signal', { kind: 'signal_absent', target, expected: 'timeout' }, run(), 'pass'],
    [
      'the signal',
      { kind: 'signal_absent', target, expected: 'timeout' },
      run({ operations: [operation(), operation({ signal: 'timeout' })] }),
      'fail',
    ],
    [
      'the signal of other work',
      { kind: 'signal_absent', target, expected: 'timeout' },
      run({ operations: [operation(), operation({ operation: 'refund', signal: 'timeout' })] }),
      'pass',
    ],
    ['silence', { kind: 'signal_absent', target, expected: 'timeout' }, run({ operations: [] }), 'not_told'],
    [
      'the words in the output',
      { kind: 'text_absent', target: 'output', expected: 'card declined' },
      text('card\ndeclined!'),
      'fail',
    ],
    ['other words', { kind: 'text_absent', target: 'output', expected: 'card declined' }, text('paid'), 'pass'],
    ['no output', { kind: 'output_present', target: 'output', expected: true }, text(' '), 'fail'],
    [
      'the same state',
      { kind: 'final_writes_equal', target: 'tool_calls', expected: [[{ tool: 'cancel_order', arguments: { id: 'a' } }]] },
      run({ calls: writes('a') }),
      'pass',
    ],
    [
      'a state of several',
      { kind: 'final_writes_equal', target: 'tool_calls', expected: [[], [{ tool: 'cancel_order', arguments: { id: 'a' } }]] },
      run({ calls: [] }),
      'pass',
    ],
    [
      'too little',
      { kind: 'final_writes_equal', target: 'tool_calls', expected: [[{ tool: 'cancel_order', arguments: { id: 'a' } }]] },
      run({ calls: [] }),
      'fail',
    ],
    ['too much', { kind: 'final_writes_equal', target: 'tool_calls', expected: [[]] }, run({ calls: writes('a') }), 'fail'],
    ['a state that is not told', { kind: 'final_writes_equal', target: 'tool_calls', expected: [[]] }, text('done'), 'not_told'],
    [
      'the same kind of end',
      { kind: 'outcome_differs', target: 'tool_calls', expected: 'nothing_changed' },
      run({ calls: [] }),
      'fail',
    ],
    [
      'another kind of end',
      { kind: 'outcome_differs', target: 'tool_calls', expected: 'nothing_changed' },
      run({ calls: writes('a') }),
      'pass',
    ],
    [
      'as many changes as the failing run',
      { kind: 'outcome_differs', target: 'tool_calls', expected: { outcome: 'something_changed', changes: 1 } },
      run({ calls: writes('b') }),
      'fail',
    ],
    [
      'more changes than the failing run',
      { kind: 'outcome_differs', target: 'tool_calls', expected: { outcome: 'something_changed', changes: 1 } },
      run({ calls: writes('a', 'b') }),
      'pass',
    ],
    [
      'no changes where the failing run made some',
      { kind: 'outcome_differs', target: 'tool_calls', expected: { outcome: 'something_changed', changes: 1 } },
      run({ calls: [] }),
      'pass',
    ],
    [
      'an end that is not told',
      { kind: 'outcome_differs', target: 'tool_calls', expected: { outcome: 'something_changed', changes: 1 } },
      text('done'),
      'not_told',
    ],
  ])('%s', (_name, assertion, observed, expected) => {
    expect(checkRun([assertion], observed).assertions[0]!.result).toBe(expected)
  })
})

test('a run of which only that it ran is told neither passes nor fails', () => {
  const assertions: EvalAssertion[] = [
    { kind: 'operation_ran', target, expected: true },
    { kind: 'final_writes_equal', target: 'tool_calls', expected: [[]] },
  ]
  expect(checkRun(assertions, run()).verdict).toBe('not_told')
})

describe('a draft', () => {
  const failing = run({ operations: [operation({ signal: 'exception', message: 'card declined by issuer 7' })] })
  const source = {
    service: 'shop',
    operation: 'charge',
    signal: 'exception',
    template: 'card declined by issuer *',
    failing,
    passing: [run()],
  }

  test('fails on what it was drafted from and passes on healthy runs', () => {
    const { assertions, missing } = draftAssertions(source)
    expect([checkRun(assertions, failing).verdict, checkRun(assertions, run()).verdict, missing]).toEqual(['fail', 'pass', []])
    expect(assertions.map(({ kind }) => kind)).toEqual(['operation_ran', 'signal_absent', 'text_absent'])
  })

  test('leaves out what a healthy run shows as well', () => {
    const { assertions } = draftAssertions({ ...source, passing: [run({ output: 'the card declined by issuer was replaced' })] })
    expect(assertions.map(({ kind }) => kind)).not.toContain('text_absent')
  })

  const judged = { ...source, signal: 'negative_feedback', template: '', failing: run({ calls: writes('b') }) }

  test('of a bad outcome without a healthy run of the request says what is missing', () => {
    const { assertions, missing } = draftAssertions({ ...judged, passing: [] })
    expect(missing).toEqual(['passing_run_of_the_request'])
    expect([checkRun(assertions, judged.failing).verdict, checkRun(assertions, run({ calls: [] })).verdict]).toEqual([
      'fail',
      'pass',
    ])
  })

  test('of a bad outcome with one expects what that run changed, and nothing else', () => {
    const { assertions, missing } = draftAssertions({ ...judged, passing: [run({ calls: writes('a') })] })
    const verdicts = [writes('a'), writes('b'), writes('a', 'b'), []].map((calls) => checkRun(assertions, run({ calls })).verdict)
    expect([missing, verdicts]).toEqual([[], ['pass', 'fail', 'fail', 'fail']])
  })

  test('says so where the failing run changed just what a healthy one did', () => {
    expect(draftAssertions({ ...judged, passing: [judged.failing] }).missing).toEqual([
      'difference_between_failing_and_passing_run',
    ])
  })

  test('is completed by a healthy run that comes later', () => {
    const { assertions, missing } = draftAssertions({ ...judged, passing: [] })
    const incomplete = { status: 'incomplete', missing, assertions } as unknown as EvalCandidate
    const complete = completeCandidate(incomplete, judged.failing, [run({ calls: writes('a') })])
    expect(complete).toMatchObject({ status: 'complete', missing: [] })
    expect(checkRun(complete.assertions, run({ calls: writes('c') })).verdict).toBe('fail')
  })
})
