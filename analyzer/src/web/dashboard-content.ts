import type { Dashboard, OpenPain, VerdictRow } from '../domain/dashboard/dashboard.ts'
import { escapeHtml } from './escape-html.ts'

/** The signed-in part of the page. Every word from telemetry is escaped. */
export function renderContent({ summary, value, open_pains, wins, regressions_detail, last_run }: Dashboard): string {
  return `<h1>${escapeHtml(value.headline)}</h1>
<p class="project">Project <code>${escapeHtml(summary.project_id)}</code></p>
<dl class="numbers">
${number('Fixes that held', String(value.held_count))}
${number('Slipped back', String(value.slipped_count))}
${number('Open pains', String(value.open_pain_count))}
${number('Regression rate', value.regression_rate === null ? 'not measured' : `${Math.round(value.regression_rate * 100)} %`)}
${number('Momentum', value.momentum)}
${number('Records read', String(summary.telemetry_read))}
</dl>
<h2 id="pains">Open pains</h2>
${open_pains.length === 0 ? '<p>None in this window.</p>' : painTable(open_pains, summary.window)}
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

function painTable(pains: readonly OpenPain[], window: { from: string; to: string }): string {
  return `<div class="table" role="region" aria-labelledby="pains" tabindex="0">
<table role="table">
<caption>What failed between ${time(window.from)} and ${time(window.to)}, heaviest first</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Pain</th><th scope="col" role="columnheader">Severity</th><th scope="col" role="columnheader">Failures</th><th scope="col" role="columnheader">Sessions</th><th scope="col" role="columnheader">Trend</th><th scope="col" role="columnheader">State</th><th scope="col" role="columnheader">Last seen</th></tr></thead>
<tbody role="rowgroup">
${pains.map(painRow).join('\n')}
</tbody>
</table>
</div>`
}

function painRow({
  pain_id,
  title,
  severity,
  signal_type,
  count,
  session_count,
  trend,
  status,
  provisional,
  last_seen,
}: OpenPain): string {
  const state = `${status.replaceAll('_', ' ')}${provisional ? ', not yet decided' : ''}`
  return row(`${escapeHtml(title)}<small>${escapeHtml(signal_type)} · <code>${escapeHtml(pain_id)}</code></small>`, [
    ['Severity', `<span class="severity ${escapeHtml(severity)}">${escapeHtml(severity)}</span>`],
    ['Failures', String(count)],
    ['Sessions', String(session_count)],
    ['Trend', escapeHtml(trend ?? 'not known')],
    ['State', escapeHtml(state)],
    ['Last seen', time(last_seen)],
  ])
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
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Pain</th><th scope="col" role="columnheader">Before</th><th scope="col" role="columnheader">After</th><th scope="col" role="columnheader">Change</th><th scope="col" role="columnheader">Said</th></tr></thead>
<tbody role="rowgroup">
${rows.map(verdictRow).join('\n')}
</tbody>
</table>
</div>`
}

function verdictRow({ title, pain_id, before, after, change_percent, at, verdict }: VerdictRow): string {
  const what = `${escapeHtml(title ?? 'A whole service')}<small>${escapeHtml(verdict)} · <code>${escapeHtml(pain_id ?? '')}</code></small>`
  return row(what, [
    ['Before', `${before.failures} of ${before.runs}`],
    ['After', `${after.failures} of ${after.runs}`],
    ['Change', change_percent === null ? '–' : `${change_percent} %`],
    ['Said', time(at)],
  ])
}
