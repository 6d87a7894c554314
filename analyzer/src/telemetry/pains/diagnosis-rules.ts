import { SIGNAL_TYPES, type SignalType } from '@loopkit/shared/signals/signal-type'

/** The settings that a diagnosis is made by. */
export interface DiagnosisRules {
  sinceMinutesDefault: number
  off: readonly SignalType[]
  repeated: RepeatedRule
  verifyRule: { delta: number; alpha: number }
}

/** From how many failures of a window on a pain is repeated; and, by signal, is shown at all. */
export interface RepeatedRule {
  recordsMin: number
  sessionsMin: number
  shownMin?: Partial<Record<SignalType, number>>
}

export interface DiagnosisSettings {
  sinceMinutesDefault: number
  signalsOff: string
  signalsMin: string
  repeatedRecordsMin: number
  repeatedSessionsMin: number
  verdictDelta: number
}

/**
 * Chance that the interval of a verdict leaves the truth out at any look up to the planned runs. Simulated without any change (20
 * looks, rates .02 to .30, clumped by rho up to .05) it leaves 1 out in at most .05 of the runs, and a verdict, which also asks for
 * the margin of delta, is said in at most .02. With a smaller alpha the power falls below that of a single test at the end.
 */
const VERDICT_ALPHA = 0.07

export function toDiagnosisRules(settings: DiagnosisSettings): DiagnosisRules {
  const off = new Set(settings.signalsOff.split(',').map((name) => name.trim()))
  return {
    sinceMinutesDefault: settings.sinceMinutesDefault,
    off: SIGNAL_TYPES.filter((signal) => off.has(signal)),
    repeated: {
      recordsMin: settings.repeatedRecordsMin,
      sessionsMin: settings.repeatedSessionsMin,
      shownMin: readSignalsMin(settings.signalsMin),
    },
    verifyRule: { delta: settings.verdictDelta, alpha: VERDICT_ALPHA },
  }
}

/** `timeout=3, exception=2`; what is no signal or no number is passed over. */
function readSignalsMin(text: string): Partial<Record<SignalType, number>> {
  const pairs = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()))
  const given = new Map(pairs.map(([name = '', number = '']) => [name, Number(number)]))
  return Object.fromEntries(
    SIGNAL_TYPES.flatMap((signal) => {
      const min = given.get(signal)
      return min !== undefined && Number.isSafeInteger(min) && min > 1 ? [[signal, min]] : []
    }),
  )
}
