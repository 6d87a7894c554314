import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { createLogger, droppedLines } from './log.ts'

function collect() {
  const destination = new PassThrough()
  let text = ''
  destination.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  let nowMs = 0
  const log = createLogger({ service: 'test', level: 'info', pretty: false, destination, monotonicMs: () => nowMs })
  const lines = () =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    log,
    lines,
    wait: (ms: number) => {
      nowMs += ms
    },
  }
}

test('a million lines of one code become a thousand and their number', () => {
  const { log, lines, wait } = collect()
  for (let n = 0; n < 1_000_000; n++) log.info({ code: 'http.request', n }, 'a request')
  expect(lines().filter(({ code }) => code === 'http.request').length).toBeLessThanOrEqual(1001)
  wait(10_000)
  log.info({ code: 'stop.signal' }, 'stopping')
  const told = lines().filter(({ code }) => code === 'log.dropped')
  const sum = told.reduce((total, { lines: left }) => total + (left as Record<string, number>)['http.request']!, 0)
  expect(sum).toBe(1_000_000 - lines().filter(({ code }) => code === 'http.request').length)
  expect(lines().at(-1)).toMatchObject({ code: 'stop.signal' })
  expect(droppedLines(log)).toBe(sum)
})

test('secrets are left out of every line', () => {
  const { log, lines } = collect()
  log.info({ code: 'x', authorization: 'Bearer lk_a', headers: { cookie: 'lk_b' }, body: { code: 'lk_c' } }, 'a line')
  expect(JSON.stringify(lines())).not.toContain('lk_')
})

/** A service that logs more than a pipe holds, then says on fd 3 how late its timers were. */
const PROGRAM = `
import { writeSync } from 'node:fs'
import { createLogger } from '${new URL('./log.ts', import.meta.url).href}'
const log = createLogger({ service: 'test', level: 'debug', pretty: false })
const text = 'x'.repeat(1000)
let beats = 0
const beat = setInterval(() => {
  for (let n = 0; n < 50; n++) log.debug({ code: 'flood', text }, 'a line')
  if (++beats < 40) return
  clearInterval(beat)
  writeSync(3, String(beats))
  process.kill(process.pid, 'SIGKILL')
}, 5)`

test.each([
  ['nobody reads', 'pipe'],
  ['has no space', '/dev/full'],
])('a log that %s holds up no service', async (_, output) => {
  const stdout = output === 'pipe' ? 'pipe' : openSync(output, 'w')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', stdout, 'inherit', 'pipe'],
  })
  const told = await new Promise<string>((resolve) => {
    let text = ''
    child.stdio[3]!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.once('close', () => resolve(text))
    // Read only to let the test end: the program has ended by then.
    child.once('exit', () => child.stdout?.resume())
  })
  expect(told).toBe('40')
})
