import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { settingsMarkdown } from '@loopkit/config/describe-settings'

/** `LOOPKIT_GENERATE=1`-style switches would be settings: to write the files anew, run jest with `-u`, as for snapshots. */
const update = process.argv.includes('-u') || process.argv.includes('--updateSnapshot')

test.each([['docs/generated/settings.md', settingsMarkdown]])('%s says what the code says', (path, generate) => {
  if (update) writeFileSync(path, generate())
  expect(readFileSync(path, 'utf8')).toBe(generate())
})
