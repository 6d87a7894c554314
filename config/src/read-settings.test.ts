import { describe, expect, test } from '@jest/globals'
import { describeSettings } from './describe-settings.ts'
import { readSettings, SettingsError } from './read-settings.ts'
import { settingsSchema } from './settings-schema.ts'

const noFile = () => {
  throw new Error('no file was asked for')
}

test('an empty environment gives the documented defaults', () => {
  expect(readSettings({}, noFile)).toMatchObject({
    dataDir: './data',
    host: '127.0.0.1',
    analyzerPort: 3000,
    otlpHttpPort: 4318,
    otlpGrpcPort: 4317,
    selfServe: 'open',
    keylessProject: null,
    retentionDays: 14,
    retentionMaxBytes: 10 * 1024 ** 3,
    adminToken: null,
  })
})

test('the environment wins over the settings file, the file over the default', () => {
  const file = () => '{"LOOPKIT_ANALYZER_PORT": 4000, "LOOPKIT_HOST": "0.0.0.0"}'
  const settings = readSettings({ LOOPKIT_SETTINGS_FILE: 'settings.json', LOOPKIT_ANALYZER_PORT: '5000' }, file)
  expect(settings).toMatchObject({ analyzerPort: 5000, host: '0.0.0.0', otlpHttpPort: 4318 })
})

test('settings cannot be changed once read', () => {
  expect(Object.isFrozen(readSettings({}, noFile))).toBe(true)
})

describe('what cannot be meant is refused by name', () => {
  test.each([
    ['an unknown name', { LOOPKIT_RETENTION_DAY: '3' }, 'LOOPKIT_RETENTION_DAY'],
    ['text where a number belongs', { LOOPKIT_ANALYZER_PORT: 'http' }, 'LOOPKIT_ANALYZER_PORT'],
    ['hexadecimal', { LOOPKIT_ANALYZER_PORT: '0x10' }, 'LOOPKIT_ANALYZER_PORT'],
    ['a fraction where a whole number belongs', { LOOPKIT_RETENTION_DAYS: '1.5' }, 'LOOPKIT_RETENTION_DAYS'],
    ['a number out of bounds', { LOOPKIT_OTLP_HTTP_PORT: '65536' }, 'LOOPKIT_OTLP_HTTP_PORT'],
    ['a word outside the list', { LOOPKIT_SELF_SERVE: 'yes' }, 'LOOPKIT_SELF_SERVE'],
    ['neither true nor false', { LOOPKIT_REDACT: 'maybe' }, 'LOOPKIT_REDACT'],
  ])('%s', (_name, env, named) => {
    expect(() => readSettings(env, noFile)).toThrow(SettingsError)
    expect(() => readSettings(env, noFile)).toThrow(named)
  })

  test.each([
    ['an unknown key of the file', '{"LOOPKIT_HOSTS": "x"}', 'LOOPKIT_HOSTS'],
    ['a file that is not JSON', '{', 'settings.json'],
    ['a file that is a list', '[]', 'settings.json'],
  ])('%s', (_name, text, named) => {
    expect(() => readSettings({ LOOPKIT_SETTINGS_FILE: 'settings.json' }, () => text)).toThrow(named)
  })
})

test('help names every setting', () => {
  const help = describeSettings()
  for (const { env } of Object.values(settingsSchema)) expect(help).toContain(env)
})

test('the command line may have its own names in the environment', () => {
  expect(() => readSettings({ LOOPKIT_URL: 'http://x', LOOPKIT_KEY: 'k' }, noFile)).not.toThrow()
})
