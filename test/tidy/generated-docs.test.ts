import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { settingsMarkdown } from '@loopkit/config/describe-settings'
import { metricsMarkdown } from './metrics-markdown.ts'

/** `LOOPKIT_GENERATE=1`-style switches would be settings: to write the files anew, run jest with `-u`, as for snapshots. */
const update = process.argv.includes('-u') || process.argv.includes('--updateSnapshot')

test.each<[string, () => string | Promise<string>]>([
  ['docs/generated/settings.md', settingsMarkdown],
  // The library counts more of the process on Linux than elsewhere.
  ...(process.platform === 'linux' ? [['docs/generated/metrics.md', metricsMarkdown] as [string, typeof metricsMarkdown]] : []),
])('%s says what the code says', async (path, generate) => {
  const text = await generate()
  if (update) writeFileSync(path, text)
  expect(readFileSync(path, 'utf8')).toBe(text)
})
