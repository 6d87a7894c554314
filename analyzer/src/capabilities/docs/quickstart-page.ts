import type { Addresses } from '../../domain/signup-answer.ts'
import { FIRST_SPAN } from './first-span.ts'

/** /quickstart.md: every command runs as it stands, with the names that the page itself sets. */
export function quickstartPage(addresses: Addresses): string {
  return `${prepare(addresses)}\n${send(addresses)}\n${ask(addresses)}`
}

function prepare({ analyzerUrl }: Addresses): string {
  return `# From nothing to a first diagnosis

LoopKit reads OpenTelemetry traces and answers with the failures that repeat, each with its evidence. Four steps.

## 1. Say where it is

\`\`\`sh
export LOOPKIT_URL=${analyzerUrl()}
\`\`\`

## 2. Make a project

\`\`\`sh
curl -sS -X POST "$LOOPKIT_URL/v1/provision" -H 'Content-Type: application/json' -d '{"project_name":"my-first-app"}'
\`\`\`

The answer shows two keys and a recovery code, once. \`producer_key\` writes telemetry and nothing else; \`agent_key\` reads and
diagnoses; \`recovery_code\` brings new keys when these are lost, so keep it apart from them. A name is given out once: the same
call again is a 401 unless it carries a key of that project.

\`\`\`text
export LOOPKIT_INGEST_KEY=<producer_key>
export LOOPKIT_KEY=<agent_key>
\`\`\`
`
}

function send({ otlpUrl }: Addresses): string {
  return `## 3. Send a span that failed

\`\`\`sh
curl -sS -X POST "$LOOPKIT_URL/v1/traces" -H "Authorization: Bearer $LOOPKIT_INGEST_KEY" -H 'Content-Type: application/json' \\
  -d '${FIRST_SPAN}'
\`\`\`

\`{}\` means: stored, on disk. The ids above are plain text; real exporters send hex, and both are found again as they were sent.

An OpenTelemetry SDK needs three lines. Its traces go straight to the collector:

\`\`\`sh
export OTEL_EXPORTER_OTLP_ENDPOINT=${otlpUrl()}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20$LOOPKIT_INGEST_KEY"
\`\`\`
`
}

function ask({ analyzerUrl }: Addresses): string {
  return `## 4. Ask what hurts

\`\`\`sh
curl -sS -X POST "$LOOPKIT_URL/v1/runs/diagnose" -H "Authorization: Bearer $LOOPKIT_KEY" -H 'Content-Type: application/json' \\
  -d '{"since_minutes":60}'
\`\`\`

One stray error answers \`observe_more\`. Three of a kind, or two sessions that hit it, answer \`ready_for_issue_diagnosis\` with an
issue draft, an eval candidate and a patch plan per pain. Nothing is ever sent anywhere: a person approves what leaves.

Did it arrive? The ledger counts what was accepted, rejected and why:

\`\`\`sh
curl -sS "$LOOPKIT_URL/v1/ingest/ledger" -H "Authorization: Bearer $LOOPKIT_KEY"
\`\`\`

Next: ${analyzerUrl()}/agents.md for agents, ${analyzerUrl()}/auth.md for keys, ${analyzerUrl()}/openapi.json for everything.
`
}
