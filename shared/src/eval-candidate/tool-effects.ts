import type { JsonValue } from '../span/record.ts'
import type { ObservedRun, RunCall } from './model.ts'

/**
 * What a run changed, told from its calls of tools. Everything here is embedded in exported tests as it stands (see embed-checks.ts):
 * functions use nothing but each other and the constants of this file.
 */

/** Verbs in names of tools that only look, count or think. */
export const READING =
  /^(?:analy[sz]e|ask|browse|calc|calculate|check|classify|compare|compute|count|describe|detect|download|estimate|eval|evaluate|explain|explore|extract|fetch|filter|find|get|has|inspect|is|list|load|locate|look|lookup|match|open|parse|plan|preview|query|read|recall|reflect|retrieve|scan|search|select|show|summari[sz]e|think|translate|validate|verify|view|visit|watch)$/

/** Verbs that change something outside the run. */
export const CHANGING =
  /^(?:accept|activate|add|apply|append|approve|archive|assign|authori[sz]e|block|buy|cancel|change|charge|checkout|clear|close|commit|confirm|copy|create|deactivate|decline|delete|deploy|deposit|disable|dispatch|drop|edit|enable|escalate|exchange|extend|grant|insert|install|invite|launch|lock|merge|modify|move|notify|overwrite|pay|publish|purchase|push|put|reactivate|rebook|redeem|refund|register|reject|release|remove|rename|renew|replace|reply|reschedule|reserve|reset|resize|resolve|restart|restore|resume|return|revert|revoke|rollback|save|sell|send|set|submit|subscribe|suspend|swap|terminate|transfer|trigger|unassign|unblock|uninstall|unlock|unsubscribe|update|upgrade|upload|upsert|void|withdraw|write)$/

/** Words that are as often the thing as what is done with it. */
export const PERHAPS_CHANGING =
  /^(?:book|file|hold|issue|log|mark|order|pause|place|post|record|report|schedule|ship|sign|start|stop|store)$/

/** A decimal number as some models write it: in quotes. */
export const NUMERAL = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?$/

/** Beyond this a text is a document: its beginning and its length tell it from another. */
export const LONG_CHARS = 400

/** Whether a tool's name says that it changes something: the first verb that is known decides, and one without any only looks. */
export function isChanging(tool: string): boolean {
  const words = tool
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  for (const word of words) {
    if (READING.test(word)) return false
    if (CHANGING.test(word)) return true
  }
  return words.some((word) => PERHAPS_CHANGING.test(word))
}

/** Words for a reader: two runs say the same in different ones, so that they are no state that could be compared. */
export function isProse(text: string): boolean {
  return text.trim().split(/\s+/).length >= 6
}

/** A value in one spelling: members and items in one order, members without a value left out, numbers in quotes as numbers, prose as a mark. */
export function settle(value: JsonValue | undefined, depth: number): JsonValue {
  if (value === null || value === undefined || depth > 32) return null
  if (typeof value === 'string') {
    if (isProse(value)) return '…'
    if (value.length > LONG_CHARS) return `${value.slice(0, LONG_CHARS)}… ${value.length}`
    return NUMERAL.test(value.trim()) ? Number(value) : value.trim()
  }
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const texts = value.map((item) => JSON.stringify(settle(item, depth + 1))).sort()
    return texts.map((text) => JSON.parse(text))
  }
  const settled: [string, JsonValue][] = []
  for (const name of Object.keys(value).sort()) {
    const member = settle(value[name], depth + 1)
    if (member !== null && member !== '') settled.push([name, member])
  }
  return Object.fromEntries(settled)
}

/** Whether a settled value holds prose and nothing else. */
export function isOnlyProse(value: JsonValue): boolean {
  if (value === null || typeof value !== 'object') return value === '…'
  const members = Object.values(value)
  return members.length > 0 && members.every(isOnlyProse)
}

/**
 * The state that a run left, as sorted texts: each change once, in whichever order, calls that failed left out, and calls that
 * only handed over words.
 */
export function writesOf(calls: readonly RunCall[]): string[] {
  const writes = new Set<string>()
  for (const { tool, arguments: given, failed } of calls) {
    if (failed || !isChanging(tool)) continue
    const settled = settle(given, 0)
    if (!isOnlyProse(settled)) writes.add(JSON.stringify({ tool, arguments: settled }))
  }
  return [...writes].sort()
}

/** What kind of end a run came to. */
export function outcomeOf(run: ObservedRun): 'something_changed' | 'nothing_changed' | null {
  if (run.calls === null) return null
  return writesOf(run.calls).length > 0 ? 'something_changed' : 'nothing_changed'
}
