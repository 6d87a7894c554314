import type { SignalType } from '@loopkit/shared/signals/signal-type'
import type { Contrast } from '../contrast/contrast-records.ts'
import { codeSpan } from '../untrusted-text.ts'

const WORD_CHARS = 120

/** `tool_failure` as it begins a sentence. */
export function signalWords(signal: SignalType): string {
  const words = signal.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The values that set failing records apart best, each in a code span that it cannot leave; null where nothing does. */
export function sharedValues([first]: readonly Contrast[]): string | null {
  if (!first) return null
  const shown = Object.entries(first.attributes).map(
    ([name, value]) =>
      `${codeSpan(name, WORD_CHARS)} is ${codeSpan(typeof value === 'string' ? value : JSON.stringify(value), WORD_CHARS)}`,
  )
  return shown.join(' and ')
}

/** 0.876 as `88 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** `1 trace`, `2 traces`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
