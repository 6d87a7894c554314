import type { PacketForFiles } from '@loopkit/shared/improvement-packet/improvement-packet'
import { type Command, InvalidArgumentError } from 'commander'
import { call } from '../client.ts'
import { addClientOptions, type ClientFlags, clientOptions } from '../client-options.ts'
import { printable } from '../printable.ts'

export interface DiagnoseFlags extends ClientFlags {
  since: number
  budget?: number
  service?: string
  json?: boolean
}

export interface Packet extends PacketForFiles {
  telemetry_read: number
  failures: number
  issues: (PacketForFiles['issues'][number] & {
    signal_type: string
    count: number
    evidence_ids: string[]
    next_action: string | null
  })[]
}

/** `loopkit diagnose`: one diagnosis, for people by default, as the packet with --json. */
export function addDiagnose(program: Command): void {
  addDiagnoseOptions(program.command('diagnose'))
    .description('diagnose a window of telemetry')
    .option('--json', 'print the packet as it is')
    .action(async (flags: DiagnoseFlags) => {
      const packet = await diagnose(flags)
      console.log(flags.json ? JSON.stringify(packet, null, 2) : describe(packet))
    })
}

export function addDiagnoseOptions(command: Command): Command {
  return addClientOptions(command)
    .option('--since <minutes>', 'length of the window in minutes, 1 to 43200', wholeNumber, 1440)
    .option('--budget <tokens>', 'most o200k_base tokens of the answer, 300 at least', wholeNumber)
    .option('--service <name>', 'only this service')
}

export async function diagnose(flags: DiagnoseFlags): Promise<Packet> {
  const body = {
    since_minutes: flags.since,
    ...(flags.budget && { budget_tokens: flags.budget }),
    ...(flags.service && { service: flags.service }),
  }
  const { packet } = await call<{ packet: Packet }>(clientOptions(flags), 'POST', '/v1/runs/diagnose', body)
  return packet
}

/** Titles come from telemetry: control characters are shown, never sent to the terminal. */
function describe(packet: Packet): string {
  const head = `${packet.status}: ${packet.telemetry_read} records read, ${packet.failures} failures, ${packet.issues.length} pains (${packet.packet_id})`
  const pains = packet.issues.map((issue, at) => {
    const evidence = issue.evidence_ids[0] ? `\n     evidence ${issue.evidence_ids[0]}` : ''
    return `${String(at + 1).padStart(3)}. ${issue.severity.padEnd(8)} ${String(issue.count).padStart(6)} × ${issue.signal_type}  ${printable(issue.title)}  ${issue.pain_id}${evidence}`
  })
  return [head, ...pains].join('\n')
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is needed')
  return Number(text)
}
