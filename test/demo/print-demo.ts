import type { DemoResult } from './run-demo.ts'
import { isFailed, type Score } from './score.ts'

const PACKET_MAX_CHARACTERS = 12_000
const TITLE_MAX_CHARACTERS = 70

/** What a person reads after the demo: the packet, the report, and what was found. The last line is JSON for machines. */
export function describeDemo({ packet, latestMarkdown, traffic, accepted, score }: DemoResult, seconds: number): string {
  return [
    '## The packet',
    bounded(JSON.stringify(packet, null, 2), PACKET_MAX_CHARACTERS),
    '',
    '## The report',
    latestMarkdown.trim(),
    '',
    '## Planted and found',
    ...describeScore(score),
    '',
    `${traffic.spans} spans sent, ${accepted} accepted, ${traffic.failedSpans} not sent; ${score.found.length} of ${score.planted.length} faults found, ` +
      `${score.causes.filter(({ place }) => place !== null).length} of ${score.causes.length} causes, ${score.unplanned.length} unplanned; ${seconds.toFixed(1)} s${isFailed(score) ? '; FAILED' : ''}`,
    JSON.stringify(score),
  ].join('\n')
}

function describeScore({ planted, found, missed, causes, invented, unplanned }: Score): string[] {
  const rows = planted.map(({ id, signal, traces }) => {
    const hit = found.find((one) => one.id === id)
    const why = missed.find((one) => one.id === id)?.why ?? ''
    const verdict = hit ? `found (${hit.count})` : `MISSED: ${why}`
    return `  ${id.padEnd(20)} ${signal.padEnd(20)} ${String(traces).padStart(4)}  ${verdict}`
  })
  const extra = unplanned.map(
    ({ title, signal, severity, count, why }) =>
      `  ${(severity === 'low' ? 'also named' : 'NOT PLANTED').padEnd(20)} ${signal.padEnd(20)} ${String(count).padStart(4)}  ${bounded(title, TITLE_MAX_CHARACTERS)}: ${why}`,
  )
  const explained = causes.map(({ id, cause, place, said }) => {
    const verdict = place === null ? `CAUSE NOT NAMED, but ${said}` : `contrast ${place}`
    return `  ${id.padEnd(20)} ${verdict.padEnd(20)} ${JSON.stringify(cause)}`
  })
  const made = invented.map(({ id, said }) => `  ${id.padEnd(20)} ${'struck anywhere, yet'.padEnd(20)} ${said}`)
  return [
    `  ${'fault'.padEnd(20)} ${'signal'.padEnd(20)} times`,
    ...[...rows, ...extra],
    `  ${'fault'.padEnd(20)} ${'cause'.padEnd(20)} planted`,
    ...[...explained, ...made],
  ]
}

const bounded = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)} … (${text.length - most} more characters)`
