import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { expect, test } from '@jest/globals'
import { createLineEnd, createLineMemory } from '../write/writer-line.ts'
import { createDecisionDesk, type DecisionAnswer } from './decision-line.ts'

/** A thread that has decisions written and says what came of it. */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.module).then(({ createDecisionLine }) => {
    const write = createDecisionLine(workerData.port, workerData.memory)
    try {
      parentPort.postMessage({ decided: write([], 5) })
    } catch (error) {
      parentPort.postMessage({ code: error.code, message: error.message })
    }
    workerData.port.close()
  })`

test.each<DecisionAnswer>([{ decided: [1n, -2n] }, { code: 'SQLITE_FULL', message: 'database or disk is full' }])(
  'the deciding thread waits for the writer and hears its answer: %p',
  async (answer) => {
    const memory = createLineMemory(64)
    const { port1, port2 } = new MessageChannel()
    const end = createLineEnd(memory)
    const desk = createDecisionDesk(port1, memory)
    const module = new URL('./decision-line.ts', import.meta.url).href
    const worker = new Worker(THREAD, { eval: true, workerData: { module, memory, port: port2 }, transferList: [port2] })
    const heard = once(worker, 'message')
    // As the writer does: look, then wait for a signal that came since.
    let batch = desk.next()
    for (let seen = end.seen(); !batch; seen = end.seen()) {
      batch = desk.next()
      if (!batch) end.wait(seen)
    }
    expect(batch).toEqual({ decisions: [], nowMs: 5 })
    desk.answer(answer)
    expect(await heard).toEqual([answer])
    port1.close()
  },
)
