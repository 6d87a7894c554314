import { type ReportSource, renderReport } from '../domain/dashboard/render-report.ts'
import { digestOf } from '../domain/opaque-id.ts'
import type { TelemetryConnection } from './telemetry-file.ts'

/** Renders a report here, because fitting it into its tokens would hold up the main thread. Reads nothing. */
export function answerReport(_connection: TelemetryConnection, dashboard: ReportSource): { markdown: string; digest: string } {
  const markdown = renderReport(dashboard)
  return { markdown, digest: digestOf(markdown) }
}
