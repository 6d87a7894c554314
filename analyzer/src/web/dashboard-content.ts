import type { Dashboard, OpenPain, VerdictRow } from '../domain/dashboard/dashboard.ts'
import type { Issue } from '../domain/packet/model.ts'
import { escapeHtml } from './escape-html.ts'

/** What is known of a pain beyond its row. */
export type PainDetails = Pick<
  Issue,
  'pain_id' | 'why' | 'first_seen' | 'blast_radius' | 'suspects' | 'next_action' | 'evidence_ids' | 'traces'
>

/** The signed-in part of the page. Every word from telemetry is escaped. */
export function renderContent(dashboard: Dashboard, details: readonly PainDetails[]): string {
  const { summary, value, open_pains, wins, regressions_detail, last_run } = dashboard
  return `<h1>${escapeHtml(value.headline)}</h1>
<p class="project">Project <code>${escapeHtml(summary.project_id)}</code></p>
<dl class="numbers">
${number('Fixes that held', String(value.held_count))}
${number('Slipped back', String(value.slipped_count))}
${number('Open pains', String(value.open_pain_count))}
${number('Regression rate', value.regression_rate === null ? 'unmeasured' : `${Math.round(value.regression_rate * 100)} %`)}
${number('Momentum', value.momentum)}
${number('Records read', String(summary.telemetry_read))}
</dl>
<h2 id="pains">Open pains</h2>
${open_pains.length === 0 ? '<p>None in this window.</p>' : painTable(dashboard, details)}
${verdictTable('Fixes that held', wins)}
${verdictTable('Regressions', regressions_detail)}
<h2>Last diagnosis</h2>
${last_run === null ? '<p>None yet. An agent asks for one with <code>POST /v1/runs/diagnose</code>.</p>' : `<p>${time(last_run.created_at)}: ${escapeHtml(last_run.status.replaceAll('_', ' '))}, ${last_run.telemetry_read} records read, ${last_run.failures} failures. Packet <code>${escapeHtml(last_run.packet_id)}</code></p>`}
`
}

function number(name: string, text: string): string {
  return `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd></div>`
}

function time(iso: string): string {
  return `<time datetime="${escapeHtml(iso)}">${escapeHtml(iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))}</time>`
}

function painTable(
  { open_pains: pains, summary: { window, open_pain_count } }: Dashboard,
  details: readonly PainDetails[],
): string {
  const detailsOf = new Map(details.map((one) => [one.pain_id, one]))
  const more = open_pain_count - pains.length
  return `<div class="table" role="region" aria-labelledby="pains" tabindex="0">
<table role="table">
<caption>What failed between ${time(window.from)} and ${time(window.to)}, heaviest first</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Pain</th><th scope="col" role="columnheader">Severity</th><th scope="col" role="columnheader">Failures</th><th scope="col" role="columnheader">Sessions</th><th scope="col" role="columnheader">Trend</th><th scope="col" role="columnheader">State</th><th scope="col" role="columnheader">Last seen</th></tr></thead>
<tbody role="rowgroup">
${pains.map((pain) => painRow(pain, detailsOf.get(pain.pain_id))).join('\n')}
</tbody>
</table>
</div>${more > 0 ? `\n<p class="more">The ${pains.length} heaviest of ${open_pain_count}. <code>GET /v1/pains</code> lists all.</p>` : ''}`
}

function painRow(
  { pain_id, title, severity, signal_type, count, session_count, trend, status, provisional, last_seen }: OpenPain,
  details: PainDetails | undefined,
): string {
  const state = `${status.replaceAll('_', ' ')}${provisional ? ', not yet decided' : ''}`
  const about = `<small>${escapeHtml(signal_type)} · <code>${escapeHtml(pain_id)}</code></small>`
  return row(`${escapeHtml(title)}${about}${details === undefined ? '' : renderDetails(details)}`, [
    ['Severity', `<span class="severity ${escapeHtml(severity)}">${escapeHtml(severity)}</span>`],
    ['Failures', String(count)],
    ['Sessions', String(session_count)],
    ['Trend', escapeHtml(trend ?? '–')],
    ['State', escapeHtml(state)],
    ['Last seen', time(last_seen)],
  ])
}

/** Records and traces named of one pain. */
const NAMED_MAX = 3

function renderDetails({ why, first_seen, blast_radius, suspects, next_action, evidence_ids, traces }: PainDetails): string {
  const codes = (words: readonly string[]) => words.map((word) => `<code>${escapeHtml(word)}</code>`).join(', ')
  const shipped = (suspects ?? []).slice(0, NAMED_MAX).map(({ kind, ref, change_id, why: near }) => {
    const named = ref === null ? '' : ` <code>${escapeHtml(ref)}</code>`
    return `${escapeHtml(kind)}${named} (<code>${escapeHtml(change_id)}</code>) ${escapeHtml(near)}`
  })
  const entries: [name: string, html: string][] = [
    ['Why it is one pain', escapeHtml(why)],
    ['First seen', time(first_seen)],
    ['Services', codes(blast_radius?.services ?? [])],
    ['Routes', codes(blast_radius?.routes ?? [])],
    ['Releases', codes(blast_radius?.releases ?? [])],
    ['Users', blast_radius?.users == null ? '' : String(blast_radius.users)],
    ['Shipped before', shipped.join('<br>')],
    ['Next', escapeHtml(next_action)],
    ['Evidence', codes(evidence_ids.slice(0, NAMED_MAX))],
    ['Traces', codes(traces.slice(0, NAMED_MAX).map(({ trace_id }) => trace_id))],
  ]
  const shown = entries.filter(([, html]) => html !== '').map(([name, html]) => `<dt>${name}</dt><dd>${html}</dd>`)
  return `<details><summary>Why, where and what next</summary><dl class="facts">${shown.join('')}</dl></details>`
}

/** A row whose cells carry their heading, which a narrow screen shows in place of the columns. */
function row(heading: string, cells: readonly (readonly [label: string, html: string])[]): string {
  const shown = cells.map(([label, html]) => `<td role="cell" data-label="${label}">${html}</td>`)
  return `<tr role="row"><th scope="row" role="rowheader">${heading}</th>${shown.join('')}</tr>`
}

function verdictTable(heading: string, rows: readonly VerdictRow[]): string {
  if (rows.length === 0) return ''
  return `<h2>${escapeHtml(heading)}</h2>
<div class="table" role="region" aria-label="${escapeHtml(heading)}" tabindex="0">
<table role="table">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Pain</th><th scope="col" role="columnheader">Before</th><th scope="col" role="columnheader">After</th><th scope="col" role="columnheader">Failure rate</th><th scope="col" role="columnheader">Judged</th></tr></thead>
<tbody role="rowgroup">
${rows.map(verdictRow).join('\n')}
</tbody>
</table>
</div>`
}

function verdictRow({ title, pain_id, change_id, before, after, change_percent, at, verdict }: VerdictRow): string {
  const what = `${escapeHtml(title ?? 'A whole service')}<small>${escapeHtml(verdict)}${pain_id === null ? '' : ` · <code>${escapeHtml(pain_id)}</code>`} · by <code>${escapeHtml(change_id)}</code></small>`
  return row(what, [
    ['Before', `${before.failures} of ${before.runs} runs`],
    ['After', `${after.failures} of ${after.runs} runs`],
    ['Failure rate', change_percent === null ? '–' : `${change_percent > 0 ? '+' : ''}${change_percent} %`],
    ['Judged', time(at)],
  ])
}
