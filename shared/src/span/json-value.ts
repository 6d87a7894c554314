import type { OtlpValue } from '../otlp/model.ts'
import { showable } from './attribute-values.ts'
import type { JsonValue } from './record.ts'

/** As deep as the door lets an AnyValue be; a deeper one can only be built in memory, and must not exhaust the stack. */
const DEPTH_MAX = 64
/** What a container costs beside its parts: brackets, quotes, commas. */
const ENTRY_BYTES = 4

/** How much of one value may still be shown; `cutBytes` counts what was left out. */
export interface ShownBudget {
  bytes: number
  isCut: boolean
}

/**
 * The value as JSON says it: integers beyond ±2^53, NaN and ±Infinity as text, bytes as base64, NUL and lone surrogates
 * as U+FFFD, a kvlist as an object without prototype, so `__proto__` is only a key. The whole value, nothing is cut.
 */
export function toJsonValue(value: OtlpValue): JsonValue {
  return toShownValue(value, { bytes: Number.POSITIVE_INFINITY, isCut: false })
}

/** As `toJsonValue`, but no more than the budget; what is cut is marked with `…` and sets `isCut`. */
export function toShownValue(value: OtlpValue, budget: ShownBudget, depth = 0): JsonValue {
  switch (typeof value) {
    case 'string':
      return shownText(value, budget)
    case 'number':
      budget.bytes -= ENTRY_BYTES
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      budget.bytes -= ENTRY_BYTES
      return String(value)
    case 'boolean':
      budget.bytes -= ENTRY_BYTES
      return value
  }
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return shownBytes(value, budget)
  if (depth >= DEPTH_MAX) return markCut(budget)
  return Array.isArray(value) ? shownList(value, budget, depth) : shownObject(value, budget, depth)
}

/** The text, cut to the budget between characters, with a mark that says how many bytes of UTF-8 are missing. */
export function shownText(text: string, budget: ShownBudget): string {
  // No character takes more than 3 bytes per UTF-16 unit, so a short text needs no counting.
  const bytes = text.length * 3 <= budget.bytes ? text.length : Buffer.byteLength(text, 'utf8')
  if (bytes <= budget.bytes) {
    budget.bytes -= bytes
    return showable(text)
  }
  const head = headOf(text, Math.max(0, budget.bytes))
  budget.bytes = 0
  budget.isCut = true
  return `${showable(head)}…[${bytes - Buffer.byteLength(head, 'utf8')} bytes cut]`
}

/** The longest beginning of the text that takes at most `bytesMax` bytes of UTF-8 and ends between characters. */
function headOf(text: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(text.slice(0, bytesMax), new Uint8Array(bytesMax))
  return text.slice(0, read)
}

function shownBytes(value: Uint8Array, budget: ShownBudget): string {
  const fitting = Math.max(0, Math.min(value.length, Math.floor(budget.bytes / 4) * 3))
  const shown = budget.bytes === Number.POSITIVE_INFINITY ? value.length : fitting
  const text = Buffer.from(value.buffer, value.byteOffset, shown).toString('base64')
  budget.bytes -= text.length
  if (shown === value.length) return text
  budget.isCut = true
  return `${text}…[${value.length - shown} bytes cut]`
}

function shownList(list: OtlpValue[], budget: ShownBudget, depth: number): JsonValue {
  const shown: JsonValue[] = []
  for (const item of list) {
    budget.bytes -= ENTRY_BYTES
    if (budget.bytes <= 0) {
      shown.push(markCut(budget))
      break
    }
    shown.push(toShownValue(item, budget, depth + 1))
  }
  return shown
}

function shownObject(map: Map<string, OtlpValue>, budget: ShownBudget, depth: number): JsonValue {
  const shown: { [key: string]: JsonValue } = Object.create(null)
  for (const [key, item] of map) {
    budget.bytes -= ENTRY_BYTES
    if (budget.bytes <= 0) {
      shown['…'] = markCut(budget)
      break
    }
    shown[shownText(key, budget)] = toShownValue(item, budget, depth + 1)
  }
  return shown
}

function markCut(budget: ShownBudget): string {
  budget.isCut = true
  return '…[cut]'
}
