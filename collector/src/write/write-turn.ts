/** Runs one transaction when it is this thread's turn to write. */
export type WriteTurn = <T>(transaction: () => T) => T

/** Three 32-bit cells, shared by the threads that write telemetry.db; the third is told of in log-moved.ts. */
export const WRITE_TURN_BYTES = 12
/** 1 while the writer waits or writes: others let it go first. */
const WANTED = 0
/** 1 while somebody writes. */
const TAKEN = 1
/** After so long in ms the file's own lock decides: a thread that ended must not stop the others. */
const WAIT_MAX_MS = 500

/** A thread alone with its file. */
export const noTurn: WriteTurn = (transaction) => transaction()

/**
 * The writer's turn: it goes first, since requests wait for it. SQLite's own lock is polled with growing sleeps, so a thread
 * that commits again and again keeps another out for more than a second (measured: ack p99 1.2 s while traces were decided).
 */
export function createFirstTurn(shared: SharedArrayBuffer): WriteTurn {
  const cells = new Int32Array(shared)
  return (transaction) => {
    Atomics.store(cells, WANTED, 1)
    try {
      return whileTaken(cells, transaction)
    } finally {
      Atomics.store(cells, WANTED, 0)
      Atomics.notify(cells, WANTED)
    }
  }
}

/** The turn of a background thread: it waits until the writer neither writes nor wants to. */
export function createPatientTurn(shared: SharedArrayBuffer): WriteTurn {
  const cells = new Int32Array(shared)
  return (transaction) => {
    Atomics.wait(cells, WANTED, 1, WAIT_MAX_MS)
    return whileTaken(cells, transaction)
  }
}

function whileTaken<T>(cells: Int32Array, transaction: () => T): T {
  while (Atomics.compareExchange(cells, TAKEN, 0, 1) !== 0) if (Atomics.wait(cells, TAKEN, 1, WAIT_MAX_MS) === 'timed-out') break
  try {
    return transaction()
  } finally {
    Atomics.store(cells, TAKEN, 0)
    Atomics.notify(cells, TAKEN)
  }
}
