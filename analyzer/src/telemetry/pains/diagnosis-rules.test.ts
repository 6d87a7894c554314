import { expect, test } from '@jest/globals'
import { settingsMarkdown } from '@loopkit/config/describe-settings'
import { SIGNAL_TYPES } from '@loopkit/shared/signals/signal-type'
import { toDiagnosisRules } from './diagnosis-rules.ts'

const settings = {
  ...{ sinceMinutesDefault: 60, repeatedRecordsMin: 3, repeatedSessionsMin: 2, verdictDelta: 0.2 },
  ...{ signalsOff: '', signalsMin: '' },
}

test.each<[given: string, minimums: object]>([
  ['', {}],
  ['timeout=3', { timeout: 3 }],
  [' timeout = 3 , exception=2', { timeout: 3, exception: 2 }],
  ['timeout=1', {}],
  ['timeout=many,nonsense=4,=,exception', {}],
])('thresholds of signals given as "%s"', (signalsMin, minimums) =>
  expect(toDiagnosisRules({ ...settings, signalsMin }).repeated.shownMin).toEqual(minimums),
)

test('signals are switched off by their names', () =>
  expect(toDiagnosisRules({ ...settings, signalsOff: 'slow, nonsense,timeout' }).off).toEqual(['timeout', 'slow']))

test('the settings name every signal that can be switched off', () =>
  expect(settingsMarkdown()).toContain(SIGNAL_TYPES.join(', ')))
