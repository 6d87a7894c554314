import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'

const MIB = 1024 ** 2

/** Prints how large the young generation of a thread became that made much; the process is started with the smallest. */
function measure(begin: string): number {
  const busy = `import { getHeapSpaceStatistics } from 'node:v8'
    const kept = []; for (let i = 0; i < 2e6; i++) kept[i % 50000] = { i }
    process.stdout.write(String(getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size))`
  const script = `import { sizeYoungHeapsOfThreads } from ${JSON.stringify(new URL('./thread-heaps.ts', import.meta.url).href)}
    import { Worker } from 'node:worker_threads'
    ${begin}
    new Worker(${JSON.stringify(busy)}, { eval: true })`
  const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--input-type=module', '-e', script]
  return Number(spawnSync(process.execPath, flags, { encoding: 'utf8' }).stdout)
}

test('a thread of a process with a small young generation gets the one that is asked for', () => {
  expect(measure('')).toBe(2 * MIB)
  expect(measure('sizeYoungHeapsOfThreads(8)')).toBeGreaterThanOrEqual(8 * MIB)
})
