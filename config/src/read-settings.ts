import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { type SettingSpec, type Settings, settingsSchema } from './settings-schema.ts'

/** A setting is unknown, malformed or out of bounds. The message names it; the process exits with 78 (EX_CONFIG). */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

type Environment = Record<string, string | undefined>

const specs = Object.entries(settingsSchema) as [keyof Settings, SettingSpec][]
const envNames = new Set(specs.map(([, spec]) => spec.env))
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
  const unknown = Object.keys(env).find((name) => name.startsWith('LOOPKIT_') && !envNames.has(name) && !CLIENT_NAMES.has(name))
  if (unknown) throw new SettingsError(`unknown setting ${unknown}`)
  const given: Record<string, unknown> = { ...readSettingsFile(env.LOOPKIT_SETTINGS_FILE, readFile) }
  for (const [, spec] of specs) {
    const text = env[spec.env]
    if (text !== undefined && text !== '') given[spec.env] = fromText(text, spec)
  }
  const validate = new Ajv({ allErrors: false }).compile(toJsonSchema())
  if (!validate(given)) {
    const error = validate.errors?.[0]
    const name = error?.instancePath.slice(1) || String(error?.params.additionalProperty ?? '')
    throw new SettingsError(`setting ${name} ${error?.keyword === 'additionalProperties' ? 'is unknown' : error?.message}`)
  }
  return Object.freeze(
    Object.fromEntries(specs.map(([field, spec]) => [field, given[spec.env] ?? spec.default])),
  ) as unknown as Settings
}

/** JSON Schema of the settings file, by environment name. */
export function toJsonSchema(): object {
  const properties = Object.fromEntries(
    specs.map(([, { env, type, minimum, maximum, enum: allowed, description, default: fallback }]) => [
      env,
      {
        type,
        description,
        ...(minimum !== undefined && { minimum }),
        ...(maximum !== undefined && { maximum }),
        ...(allowed && { enum: [...allowed] }),
        ...(fallback !== null && { default: fallback }),
      },
    ]),
  )
  return { type: 'object', additionalProperties: false, properties }
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
