import { SIGNAL_TYPES, type SignalType } from '@loopkit/shared/signals/signal-type'

/** The settings that a diagnosis is made by. */
export interface DiagnosisRules {
  sinceMinutesDefault: number
  off: readonly SignalType[]
  repeated: { recordsMin: number; sessionsMin: number }
  verifyRule: { delta: number; alpha: number }
}

export interface DiagnosisSettings {
  sinceMinutesDefault: number
  signalsOff: string
  repeatedRecordsMin: number
  repeatedSessionsMin: number
  verdictDelta: number
}

/**
 * Chance of a false verdict on each look. Smaller than the usual .05, because an agent looks again and again until the sequential
 * bound of the next issue takes its place.
 */
const VERDICT_ALPHA = 0.01

export function toDiagnosisRules(settings: DiagnosisSettings): DiagnosisRules {
  const off = new Set(settings.signalsOff.split(',').map((name) => name.trim()))
  return {
    sinceMinutesDefault: settings.sinceMinutesDefault,
    off: SIGNAL_TYPES.filter((signal) => off.has(signal)),
    repeated: { recordsMin: settings.repeatedRecordsMin, sessionsMin: settings.repeatedSessionsMin },
    verifyRule: { delta: settings.verdictDelta, alpha: VERDICT_ALPHA },
  }
}
