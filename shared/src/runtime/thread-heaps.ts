import { setFlagsFromString } from 'node:v8'

/**
 * The young generation of threads that begin from here on; the main thread keeps the one it was started with. A flag that the process
 * was started with overrides what a thread asks for: readers of a process with the smallest, which an idle one is best off
 * with, spent a third of their time collecting what dies at once.
 */
export function sizeYoungHeapsOfThreads(semiSpaceMib: number): void {
  setFlagsFromString(`--max-semi-space-size=${semiSpaceMib}`)
}
