import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createGroupPacker, GROUP_BYTES } from './group-memory.ts'
import type { CommitGroup, WriterData, WriterMessage, WriterReply } from './messages.ts'
import { createLineMemory, createLineStart, createSignal } from './writer-line.ts'

/** The writer thread, seen from the main thread. */
export interface WriterClient {
  /** One group at a time: the next only after the answer to this one. */
  post(group: CommitGroup): void
  noteDecided(hashes: BigUint64Array): void
  /** After the last reply: closes the file and ends the thread. */
  close(): Promise<void>
}

/** Resolves when the thread has opened the file; rejects where it cannot. */
export async function startWriter(
  data: Omit<WriterData, 'line'>,
  onReply: (reply: WriterReply) => void,
  onFailure: (error: Error) => void,
): Promise<WriterClient> {
  const line = createLineMemory(GROUP_BYTES)
  const workerData: WriterData = { ...data, line }
  const worker = new Worker(new URL('./writer-worker.ts', import.meta.url), { workerData, name: 'writer' })
  const packer = createGroupPacker(line.groups)
  const send = createLineStart(line, (group) => worker.postMessage(group))
  const signal = createSignal(line)
  const tell = (message: WriterMessage) => {
    worker.postMessage(message)
    signal()
  }
  await once(worker, 'message')
  worker.on('message', onReply)
  worker.on('error', onFailure)
  return {
    post: (group) => send(packer.pack(group)),
    noteDecided: (hashes) => tell({ kind: 'decided', hashes }),
    close: () =>
      new Promise((resolve) => {
        worker.once('exit', () => resolve())
        tell({ kind: 'close' })
      }),
  }
}
