import { oneLine } from '../untrusted-text.ts'

/** Attributes of one record by name; each value is JSON, so that `1` and `"1"` stay apart. */
export type AttributeRow = ReadonlyMap<string, string>

/** Attributes that are compared for one pain (write-path §4). */
const ATTRIBUTES_MAX = 32
/** Longer texts are messages, not circumstances. */
const TEXT_MAX_CHARS = 256
const KEY_MAX_CHARS = 128

/**
 * Names that tell of the failure itself or of what came after it, and names of one person or one session: the first explain
 * nothing, the second are nobody's business in a packet.
 */
const NOT_A_CAUSE: readonly RegExp[] = [
  /error|exception|stacktrace|stack_trace|fault\b|\bfailure/i,
  /^(otel\.)?status/i,
  /^(http|rpc|grpc|db|gen_ai|llm|ai|mcp|messaging)\..*status/i,
  /status_?code/i,
  /^(http|rpc|db|gen_ai|ai|graphql)\.response\b/,
  /^http\.response/,
  /^(gen_ai|llm)\.(output|completion|usage|token_count)/,
  /^llm\.output_messages/,
  /^gen_ai\.tool\.call\.result/,
  /^(output|response)\./,
  // What was said is no circumstance: a turn of a conversation that fails is often its first, and all first turns may read alike.
  /(^|[._])(messages|prompt|content|body)$/i,
  /^input\.value$/,
  /\.(output|result)$/,
  /^ai\.(usage|result)/,
  /^loopkit\./,
  /^(enduser|user)(\.|_|$)/i,
  /^(session|conversation|thread)([._]id)?$/i,
  /conversation\.id$/,
  /^process\.(pid|parent_pid|command|owner)/,
  /^telemetry\.(sdk|auto|distro)/,
]

/** Whether an attribute of this name may be named as what sets failures apart. */
export function isComparable(key: string): boolean {
  if (key === '' || key.length > KEY_MAX_CHARS || oneLine(key, KEY_MAX_CHARS) !== key) return false
  return !NOT_A_CAUSE.some((pattern) => pattern.test(key))
}

/** The value as it is compared, or null where it is nothing that records can share. */
export function comparableValue(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value === '' || value.length > TEXT_MAX_CHARS) return null
    return JSON.stringify(oneLine(value, TEXT_MAX_CHARS))
  }
  if (typeof value === 'bigint') return JSON.stringify(String(value))
  if (typeof value === 'boolean') return JSON.stringify(value)
  return typeof value === 'number' && Number.isFinite(value) ? JSON.stringify(value) : null
}

/**
 * Names worth comparing, in order of name: not what differs in nearly every record, not what is the same in all, and of names
 * that always say the same only the first in `names`.
 */
export function chooseAttributes(failing: readonly AttributeRow[], healthy: readonly AttributeRow[]): string[] {
  const rows = [...failing, ...healthy]
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))].sort(byDerived)
  const seen = new Set<string>()
  const kept: { name: string; gap: number }[] = []
  for (const name of names) {
    const { distinct, pattern, isShared } = patternOf(rows, name)
    if (distinct > rows.length / 2 || isShared || seen.has(pattern)) continue
    seen.add(pattern)
    kept.push({ name, gap: widestGap(failing, healthy, name) })
  }
  return kept
    .sort((a, b) => b.gap - a.gap || (a.name < b.name ? -1 : 1))
    .slice(0, ATTRIBUTES_MAX)
    .map(({ name }) => name)
    .sort()
}

/** Marks a name that stands for what a view has read out of another attribute: the attribute as it was sent goes first. */
export const DERIVED_MARK = '\u0001'

function byDerived(a: string, b: string): number {
  const derived = Number(a.startsWith(DERIVED_MARK)) - Number(b.startsWith(DERIVED_MARK))
  return derived || (a < b ? -1 : 1)
}

/** Which records share a value, whatever it is called. */
function patternOf(rows: readonly AttributeRow[], name: string): { distinct: number; pattern: string; isShared: boolean } {
  const codes = new Map<string, number>()
  const pattern = rows.map((row) => {
    const value = row.get(name)
    if (value === undefined) return -1
    if (!codes.has(value)) codes.set(value, codes.size)
    return codes.get(value)!
  })
  return { distinct: codes.size, pattern: pattern.join(), isShared: codes.size === 1 && !pattern.includes(-1) }
}

function widestGap(failing: readonly AttributeRow[], healthy: readonly AttributeRow[], name: string): number {
  const shares = new Map<string, number>()
  const add = (rows: readonly AttributeRow[], weight: number) => {
    for (const row of rows) {
      const value = row.get(name)
      if (value !== undefined) shares.set(value, (shares.get(value) ?? 0) + weight)
    }
  }
  add(failing, 1 / failing.length)
  add(healthy, -1 / healthy.length)
  return Math.max(...shares.values())
}
