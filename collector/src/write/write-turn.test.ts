import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from '@jest/globals'
import { createFirstTurn, WRITE_TURN_BYTES } from './write-turn.ts'

/** A thread that says when it is there, then takes its patient turn and says so. */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.module).then(({ createPatientTurn }) => {
    const cells = new Int32Array(workerData.seen)
    const turn = createPatientTurn(workerData.shared)
    Atomics.store(cells, 0, 1)
    Atomics.notify(cells, 0)
    turn(() => Atomics.store(cells, 0, 2))
    parentPort.postMessage('done')
  })`

test('a background thread writes only when the writer is done', async () => {
  const shared = new SharedArrayBuffer(WRITE_TURN_BYTES)
  const seen = new SharedArrayBuffer(4)
  const cells = new Int32Array(seen)
  const module = new URL('./write-turn.ts', import.meta.url).href
  const first = createFirstTurn(shared)
  let worker: Worker | null = null
  const whileWriting = first(() => {
    worker = new Worker(THREAD, { eval: true, workerData: { shared, seen, module } })
    // The thread is there, and has 100 ms in which it could break in.
    Atomics.wait(cells, 0, 0, 5_000)
    Atomics.wait(cells, 0, 1, 100)
    return Atomics.load(cells, 0)
  })
  await once(worker!, 'message')
  expect([whileWriting, Atomics.load(cells, 0)]).toEqual([1, 2])
})

test('a transaction that fails gives its turn back', () => {
  const first = createFirstTurn(new SharedArrayBuffer(WRITE_TURN_BYTES))
  expect(() =>
    first(() => {
      throw new Error('disk full')
    }),
  ).toThrow('disk full')
  expect(first(() => 'next')).toBe('next')
})
