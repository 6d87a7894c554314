import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createGroupPacker } from './group-memory.ts'
import type { CommitGroup, TracesDecided, WriterData, WriterReply } from './messages.ts'

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
  data: WriterData,
  onReply: (reply: WriterReply) => void,
  onFailure: (error: Error) => void,
): Promise<WriterClient> {
  const worker = new Worker(new URL('./writer-worker.ts', import.meta.url), { workerData: data, name: 'writer' })
  const packer = createGroupPacker()
  await once(worker, 'message')
  worker.on('message', onReply)
  worker.on('error', onFailure)
  return {
    post: (group) => worker.postMessage(packer.pack(group)),
    noteDecided: (hashes) => worker.postMessage({ kind: 'decided', hashes } satisfies TracesDecided),
    close: () =>
      new Promise((resolve) => {
        worker.once('exit', () => resolve())
        worker.postMessage({ kind: 'close' })
      }),
  }
}
