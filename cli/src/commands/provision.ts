import type { Command } from 'commander'
import { call } from '../client.ts'
import { addClientOptions, type ClientFlags, clientOptions } from '../client-options.ts'

interface Provisioned {
  project_id: string
  producer_key?: string
  agent_key?: string
  recovery_code?: string
  dashboard_url?: string
  ingest_url?: string
  resumed: boolean
}

/** `loopkit provision NAME`: keys of a new project, or, with a key of that project, a resumption that rotates nothing. */
export function addProvision(program: Command): void {
  addClientOptions(program.command('provision'))
    .description('create a project, or resume one with its key')
    .argument('<name>', 'project name')
    .option('--operator <operator>', 'who runs it; a name is unique per operator')
    .option('--json', 'print the answer as it is')
    .action(async (name: string, flags: ClientFlags & { operator?: string; json?: boolean }) => {
      const body = { project_name: name, ...(flags.operator && { operator: flags.operator }) }
      const answer = await call<Provisioned>(clientOptions(flags), 'POST', '/v1/provision', body)
      console.log(flags.json ? JSON.stringify(answer) : describe(answer))
    })
}

function describe(answer: Provisioned): string {
  if (answer.resumed) return `resumed ${answer.project_id}; its keys stay as they are`
  return [
    `project        ${answer.project_id}`,
    `producer key   ${answer.producer_key}`,
    `agent key      ${answer.agent_key}`,
    `recovery code  ${answer.recovery_code}   (keep it: it brings back lost keys)`,
    `dashboard      ${answer.dashboard_url}`,
    '',
    `export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${answer.ingest_url}`,
    `export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20${answer.producer_key}"`,
    'export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    '',
    `LOOPKIT_KEY=${answer.agent_key} npx loopkit diagnose`,
  ].join('\n')
}
