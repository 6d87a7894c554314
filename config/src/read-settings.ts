import { readFileSync } from 'node:fs'
import { type SettingSpec, type Settings, settingsSchema } from './settings-schema.ts'

/** A setting is unknown, malformed or out of bounds. The message names it; the process exits with 78 (EX_CONFIG). */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

type Environment = Record<string, string | undefined>

const specs = Object.entries(settingsSchema) as [keyof Settings, SettingSpec][]
const specOf = new Map<string, SettingSpec>(specs.map(([, spec]) => [spec.env, spec]))
/** Names of the command line's own environment: not settings of the services. */
const CLIENT_NAMES = new Set(['LOOPKIT_URL', 'LOOPKIT_KEY', 'LOOPKIT_INGEST_KEY', 'LOOPKIT_OTLP_URL'])

/**
 * Settings from the environment, else the settings file, else their defaults.
 * An unknown LOOPKIT_ name and an unknown key of the file are refused: a misspelt limit must not pass as its default.
 */
export function readSettings(
  env: Environment,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Settings {
  const unknown = Object.keys(env).find((name) => name.startsWith('LOOPKIT_') && !specOf.has(name) && !CLIENT_NAMES.has(name))
  if (unknown) throw new SettingsError(`unknown setting ${unknown}`)
  const given: Record<string, unknown> = { ...readSettingsFile(env.LOOPKIT_SETTINGS_FILE, readFile) }
  for (const [, spec] of specs) {
    const text = env[spec.env]
    if (text !== undefined && text !== '') given[spec.env] = fromText(text, spec)
  }
  for (const [name, value] of Object.entries(given)) {
    const spec = specOf.get(name)
    const wrong = spec ? whatIsWrong(value, spec) : 'is unknown'
    if (wrong) throw new SettingsError(`setting ${name} ${wrong}`)
  }
  return Object.freeze(
    Object.fromEntries(specs.map(([field, spec]) => [field, given[spec.env] ?? spec.default])),
  ) as unknown as Settings
}

/** Checked here rather than by a schema library: four rules, read by three processes that each would hold one for them. */
function whatIsWrong(value: unknown, { type, minimum, maximum, enum: allowed }: SettingSpec): string | null {
  const isOfType = type === 'integer' ? Number.isSafeInteger(value) : typeof value === type && !Number.isNaN(value)
  if (!isOfType) return `must be ${type}`
  if (minimum !== undefined && (value as number) < minimum) return `must be >= ${minimum}`
  if (maximum !== undefined && (value as number) > maximum) return `must be <= ${maximum}`
  return allowed && !allowed.includes(value as string) ? `must be one of ${allowed.join(', ')}` : null
}

function readSettingsFile(path: string | undefined, readFile: (path: string) => string): Record<string, unknown> {
  if (!path) return {}
  try {
    const parsed: unknown = JSON.parse(readFile(path))
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) throw new Error('not a JSON object')
    return parsed as Record<string, unknown>
  } catch (error) {
    throw new SettingsError(`settings file ${path}: ${(error as Error).message}`)
  }
}

/** Text that is not of the setting's type stays text, so that validation names the setting. */
function fromText(text: string, spec: SettingSpec): unknown {
  if (spec.type === 'string') return text
  if (spec.type === 'boolean') return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
