/** What is smaller is left to the garbage collector, which comes by often enough; Node's own pools are smaller too. */
const FREED_MIN_BYTES = 256 * 1024

/**
 * Gives the memory of a large array back now, which the garbage collector would do only when it next has reason to run: each
 * thread may hold tens of megabytes that nobody uses until then. Every view of that memory is empty afterwards, so only
 * its last user may call this.
 */
export function freeMemory({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= FREED_MIN_BYTES) buffer.transfer(0)
}
