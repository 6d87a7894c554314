import { existsSync } from 'node:fs'
import { describe } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'

export { sharedData }

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
