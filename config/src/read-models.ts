import { readFileSync } from 'node:fs'
import { SettingsError } from './read-settings.ts'

/** US dollars for one million tokens. What the fields mean stands in models.json. */
export interface ModelSpec {
  provider: string
  input: number
  output: number
  cache_read?: number
  cache_write?: number
  input_tokens_max?: number
}

/** Model by its name in lower case. */
export type ModelTable = Readonly<Record<string, ModelSpec>>

const BUILT_IN = new URL('../models.json', import.meta.url)
const NUMBERS = ['input', 'output', 'cache_read', 'cache_write', 'input_tokens_max'] as const

/** The product's table with that of a file over it, where one is set; a file that is wrong is refused, so that no cost is. */
export function readModels(path: string | null, readFile = (from: string) => readFileSync(from, 'utf8')): ModelTable {
  const builtIn = (JSON.parse(readFileSync(BUILT_IN, 'utf8')) as { models: ModelTable }).models
  if (path === null) return builtIn
  const models = new Map(Object.entries(builtIn))
  for (const [name, spec] of Object.entries(readOwn(path, readFile))) {
    if (spec === null) models.delete(name.toLowerCase())
    else models.set(name.toLowerCase(), checked(path, name, spec))
  }
  return Object.fromEntries(models)
}

function readOwn(path: string, readFile: (from: string) => string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(readFile(path)) as { models?: unknown } | null
    if (!isObject(parsed?.models)) throw new Error('it has no object "models"')
    return parsed.models
  } catch (error) {
    throw new SettingsError(`LOOPKIT_MODELS_FILE ${path}: ${(error as Error).message}`)
  }
}

function checked(path: string, name: string, spec: unknown): ModelSpec {
  const given = isObject(spec) ? spec : {}
  const wrong = NUMBERS.find((field) => {
    const value = given[field]
    const isMissing = value === undefined && field !== 'input' && field !== 'output'
    return !isMissing && !(typeof value === 'number' && Number.isFinite(value) && value >= 0)
  })
  if (wrong) throw new SettingsError(`LOOPKIT_MODELS_FILE ${path}: ${wrong} of ${name} must be a number from 0`)
  const numbers = NUMBERS.flatMap((field) => (given[field] === undefined ? [] : [[field, given[field]]]))
  return { provider: typeof given.provider === 'string' ? given.provider : 'unknown', ...Object.fromEntries(numbers) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
