import { type SettingSpec, type Settings, settingsSchema } from '@loopkit/config/settings-schema'

/** The settings in effect, by their environment names, for one line of the log; of a secret only whether it is set. */
export function showSettings(settings: Settings): Record<string, unknown> {
  const specs = Object.entries(settingsSchema) as [keyof Settings, SettingSpec][]
  return Object.fromEntries(specs.map(([field, { env, secret }]) => [env, secret ? settings[field] !== null : settings[field]]))
}
