import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { createGroupPacker, GROUP_BYTES, movedBuffers } from './group-memory.ts'
import type { CommitGroup, LineMemory, WriterData, WriterMessage, WriterReply } from './messages.ts'
import { createLineMemory, createLineStart, createSignal } from './writer-line.ts'

/** The writer thread, seen from the main thread. */
export interface WriterClient {
  /** One group at a time: the next only after the answer to this one. */
  post(group: CommitGroup): void
  /** For the deciding thread, which it goes to. */
  decisions: { port: MessagePort; line: LineMemory }
  /** After the last reply: closes the file and ends the thread. */
  close(): Promise<void>
}

/** Resolves when the thread has opened the file; rejects where it cannot. */
export async function startWriter(
  data: Omit<WriterData, 'line' | 'decisions'>,
  onReply: (reply: WriterReply) => void,
  onFailure: (error: Error) => void,
): Promise<WriterClient> {
  const line = createLineMemory(GROUP_BYTES)
  const { port1, port2 } = new MessageChannel()
  const workerData: WriterData = { ...data, line, decisions: port1 }
  const worker = new Worker(new URL('./writer-worker.ts', import.meta.url), { workerData, transferList: [port1], name: 'writer' })
  const packer = createGroupPacker(line.groups)
  const send = createLineStart(line, (group) => worker.postMessage(group, movedBuffers(group)))
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
    decisions: { port: port2, line },
    close: () =>
      new Promise((resolve) => {
        worker.once('exit', () => resolve())
        tell({ kind: 'close' })
      }),
  }
}
