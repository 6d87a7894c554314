import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Addresses, SignupAnswer } from '../domain/signup-answer.ts'

/** The name of the project that the first start makes. */
export const FIRST_PROJECT = 'default'
const FILE_NAME = 'first-run.txt'
const FILE_MODE = 0o600

/** What the first start shows, once: everything that is needed to send and to ask, ready to paste. */
export function firstRunText(answer: SignupAnswer, { analyzerUrl, otlpUrl }: Addresses): string {
  return `LoopKit is ready. These secrets are shown once; keep them.

  project          ${answer.project_id}
  producer key     ${answer.producer_key}
  agent key        ${answer.agent_key}
  recovery code    ${answer.recovery_code}
                   (brings new keys when these are lost: keep it apart from them)

  analyzer         ${analyzerUrl()}
  OTLP over HTTP   ${answer.ingest_url}
  dashboard        ${answer.dashboard_url}

Point an OpenTelemetry SDK at it:

  export OTEL_EXPORTER_OTLP_ENDPOINT=${otlpUrl()}
  export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20${answer.producer_key}"
  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf

Then ask what hurts:

  curl -sS -X POST ${answer.diagnose_url} -H "Authorization: Bearer ${answer.agent_key}" -H 'Content-Type: application/json' -d '{"since_minutes":60}'

`
}

export interface FirstRunOutput {
  dataDir: string
  /** Shows text on the terminal; null without one. */
  showOnTerminal: ((text: string) => void) | null
}

/** Shows it on the terminal, else keeps it in a file that only its owner reads; returns that file's path. */
export function announceFirstRun(text: string, { dataDir, showOnTerminal }: FirstRunOutput): string | null {
  if (showOnTerminal) {
    showOnTerminal(text)
    return null
  }
  const path = join(dataDir, FILE_NAME)
  writeFileSync(path, text, { mode: FILE_MODE })
  return path
}
