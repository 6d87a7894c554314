import { expect, test } from '@jest/globals'
import { runHttpFuzz } from './run-http-fuzz.ts'

const BODIES = 600
const seed = Date.now() % 2 ** 31
process.stderr.write(`fuzz over HTTP: seed ${seed}\n`)

test('what the product answers to bodies changed at random is what it stores', async () => {
  const { failures, statuses, accepted, stored } = await runHttpFuzz({ seed, bodies: BODIES, onProgress: () => {} })
  expect(failures).toEqual([])
  expect(stored).toBe(accepted)
  expect(Object.keys(statuses).sort()).toEqual(['200', '400'])
  expect(accepted).toBeGreaterThan(200)
}, 60_000)
