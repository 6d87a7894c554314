import { test } from '@jest/globals'
import type { Row } from './rule-ids.ts'

/** For machines that do something else too; a row takes milliseconds. */
const TIMEOUT_MS = 60_000

/** Runs every row of a table as a test of its own, on what the file has started. */
export function testRows<Stage>(rows: readonly Row<Stage>[], stage: () => Stage): void {
  for (const { ids, name, whyNot, timeoutMs = TIMEOUT_MS, run } of rows) {
    const title = `${ids.join(' ')} · ${name}`
    const why = whyNot?.() ?? null
    // The runner keeps console lines of skipped tests to itself.
    if (why !== null) process.stderr.write(`skipped "${title}": ${why}\n`)
    const testOrSkip = why === null ? test : test.skip
    testOrSkip(title, () => run(stage()), timeoutMs)
  }
}
