import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from '@jest/globals'
import { projectRoot } from '../harness/service-process.ts'

/** Public telemetry beside the checkout; not part of the project. */
export const sharedData = join(projectRoot, '..', 'shared', 'data')

/** A `describe` that is skipped, and says so, where the data is absent. */
export function describeWithSharedData(name: string, tests: () => void): void {
  if (existsSync(sharedData)) {
    describe(name, tests)
    return
  }
  // The runner keeps console lines of skipped suites to itself.
  process.stderr.write(`skipped "${name}": ../shared/data is not beside this checkout\n`)
  describe.skip(name, tests)
}
