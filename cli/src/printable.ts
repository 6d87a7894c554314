/**
 * Text from telemetry made safe for a terminal: control characters (escape sequences, line ends, bidirectional overrides)
 * are replaced by U+FFFD, so that a span name can neither recolour nor rewrite what a person reads.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
}
