/**
 * The file-oriented shape of a diagnosis, as `loopkit run` writes it: a manifest and, per pain, one issue draft, one eval
 * candidate and one patch plan. Served at /schema/improvement-packet.json; the manifest names every file with its digest.
 */
export const improvementPacketSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'LoopKit improvement packet',
  description:
    'manifest.json of a folder that `loopkit run` wrote. Drafts only: a person approves before anything leaves the folder.',
  type: 'object',
  required: ['schema_version', 'packet_id', 'project_id', 'status', 'created_at', 'approval_required', 'window', 'items'],
  additionalProperties: false,
  properties: {
    schema_version: { const: 1 },
    packet_id: { type: 'string' },
    project_id: { type: 'string' },
    status: { enum: ['ready_for_issue_diagnosis', 'observe_more'] },
    created_at: { type: 'string', format: 'date-time' },
    approval_required: { type: 'boolean' },
    window: {
      type: 'object',
      required: ['from', 'to'],
      additionalProperties: false,
      properties: { from: { type: 'string', format: 'date-time' }, to: { type: 'string', format: 'date-time' } },
    },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pain_id', 'title', 'severity', 'files'],
        additionalProperties: false,
        properties: {
          pain_id: { type: 'string' },
          title: { type: 'string' },
          severity: { enum: ['low', 'medium', 'high', 'critical'] },
          files: {
            type: 'array',
            items: {
              type: 'object',
              required: ['kind', 'path', 'sha256'],
              additionalProperties: false,
              properties: {
                kind: { enum: ['issue_draft', 'eval_candidate', 'patch_plan'] },
                path: { type: 'string', description: 'relative to the manifest' },
                sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
              },
            },
          },
        },
      },
    },
  },
} as const

/** The part of a diagnosis packet that the files are made of (contract §4). */
export interface PacketForFiles {
  packet_id: string
  project_id: string
  status: string
  created_at: string
  approval_required: boolean
  window: { from: string; to: string }
  issues: readonly {
    pain_id: string
    title: string
    severity: string
    issue_draft: { title: string; body_md: string } | null
    eval_candidate: object | null
    patch_plan: object | null
  }[]
}

/** A file to be written, its path relative to the packet's folder. */
export interface PacketFile {
  path: string
  text: string
}

/**
 * Turns a packet into its files; the manifest comes last, so a folder with a manifest is whole. Pain ids are the product's
 * own (letters, digits, underscore), anything else is left out of a path. `digest` is SHA-256 in hex.
 */
export function packetFiles(packet: PacketForFiles, digest: (text: string) => string): PacketFile[] {
  const files: PacketFile[] = []
  const items = packet.issues.map((issue) => {
    const folder = issue.pain_id.replace(/[^A-Za-z0-9_]/g, '')
    const written = [
      issue.issue_draft && {
        kind: 'issue_draft',
        path: `${folder}/issue.md`,
        text: `# ${literal(issue.issue_draft.title)}\n\n${issue.issue_draft.body_md}\n`,
      },
      issue.eval_candidate && { kind: 'eval_candidate', path: `${folder}/eval.json`, text: toJsonFile(issue.eval_candidate) },
      issue.patch_plan && { kind: 'patch_plan', path: `${folder}/patch-plan.json`, text: toJsonFile(issue.patch_plan) },
    ].filter((file) => file !== null)
    files.push(...written.map(({ path, text }) => ({ path, text })))
    return {
      pain_id: issue.pain_id,
      title: issue.title,
      severity: issue.severity,
      files: written.map(({ kind, path, text }) => ({ kind, path, sha256: digest(text) })),
    }
  })
  const { packet_id, project_id, status, created_at, approval_required, window } = packet
  const manifest = { schema_version: 1, packet_id, project_id, status, created_at, approval_required, window, items }
  return [...files, { path: 'manifest.json', text: toJsonFile(manifest) }]
}

/** A title comes from telemetry: inside a code span, which it cannot leave, it makes no link, image, mention or tag. */
function literal(title: string): string {
  const line = title.replaceAll(/\s+/g, ' ').trim()
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence} ${line} ${fence}`
}

function toJsonFile(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
