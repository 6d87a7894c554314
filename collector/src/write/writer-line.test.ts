import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from '@jest/globals'
import type { PackedGroup } from './messages.ts'
import { createLineEnd, createLineMemory, createLineStart, createSignal } from './writer-line.ts'

const memory = createLineMemory(64)
const usual: PackedGroup = {
  kind: 'commit',
  group: 7,
  memory: memory.groups,
  moved: null,
  bodies: 3,
  ledgers: [],
  ledger: [],
  keyUses: [],
}

test('a usual group is taken once, without a message', () => {
  const messages: PackedGroup[] = []
  const end = createLineEnd(memory)
  createLineStart(memory, (group) => messages.push(group))(usual)
  expect([end.take(), end.take(), messages]).toEqual([usual, null, []])
})

test.each<[string, Partial<PackedGroup>]>([
  ['a body that moves', { moved: new Uint8Array(1) }],
  ['memory of its own', { memory: new SharedArrayBuffer(64) }],
  ["a body's counts", { ledgers: [{ position: 0, ledger: [['replaced', 1]] }] }],
  ['counts', { ledger: [[1, 'conflict', 2]] }],
  ['uses of keys', { keyUses: [[Uint8Array.of(1), 2]] }],
])('a group with %s goes by message', (_, part) => {
  const messages: PackedGroup[] = []
  createLineStart(memory, (group) => messages.push(group))({ ...usual, ...part })
  expect([createLineEnd(memory).take(), messages]).toEqual([null, [{ ...usual, ...part }]])
})

test('what is told between the look and the wait is not slept over', () => {
  const end = createLineEnd(memory)
  const seen = end.seen()
  createSignal(memory)()
  // Would block for ever.
  end.wait(seen)
  expect(end.seen()).toBe(seen + 1)
})

/** A thread that waits for a group and says its number. */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData.module).then(({ createLineEnd }) => {
    const end = createLineEnd(workerData.memory)
    parentPort.postMessage('waits')
    for (let seen = end.seen(), group = end.take(); ; seen = end.seen(), group = end.take()) {
      if (group) return parentPort.postMessage(group.group)
      end.wait(seen)
    }
  })`

test('a thread that waits wakes up for a group', async () => {
  const module = new URL('./writer-line.ts', import.meta.url).href
  const worker = new Worker(THREAD, { eval: true, workerData: { memory, module } })
  await once(worker, 'message')
  const answer = once(worker, 'message')
  createLineStart(memory, () => {})(usual)
  expect(await answer).toEqual([7])
})
