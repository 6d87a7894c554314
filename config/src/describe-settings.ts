import { type SettingSpec, settingsSchema } from './settings-schema.ts'

/** One line a setting, for `--help`: name, meaning, default. */
export function describeSettings(): string {
  const specs: SettingSpec[] = Object.values(settingsSchema)
  return specs.map((spec) => `  ${spec.env.padEnd(34)} ${spec.description} (${describeDefault(spec)})`).join('\n')
}

/** The generated reference: docs/generated/settings.md. */
export function settingsMarkdown(): string {
  const rows = (Object.values(settingsSchema) as SettingSpec[]).map(
    (spec) => `| \`${spec.env}\` | ${spec.type} | ${describeDefault(spec)} | ${describeBounds(spec)} | ${spec.description} |`,
  )
  return [
    '# Settings',
    '',
    'Generated from `config/src/settings-schema.ts`.',
    '',
    '| name | type | default | bounds | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function describeDefault({ default: fallback }: SettingSpec): string {
  return fallback === null || fallback === '' ? 'unset' : String(fallback)
}

function describeBounds({ minimum, maximum, enum: allowed }: SettingSpec): string {
  if (allowed) return allowed.join(', ')
  return minimum === undefined ? '' : `${minimum} to ${maximum ?? ''}`.trim()
}
