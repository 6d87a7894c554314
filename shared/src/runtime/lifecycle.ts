/** Something that was started and must be stopped. */
export type Closer = () => void | Promise<void>

export interface Lifecycle {
  /** Remembers how to stop what was just started. */
  defer(name: string, close: Closer): void
  /** Stops everything in reverse order, each at most once; errors are collected, not thrown in between. Safe to call twice. */
  stop(): Promise<void>
}

/** Starts in order, stops in reverse. Holds no timers of its own. */
export function createLifecycle(): Lifecycle {
  const closers: { name: string; close: Closer }[] = []
  let stopping: Promise<void> | null = null
  return {
    defer: (name, close) => void closers.push({ name, close }),
    stop: () => (stopping ??= closeAll(closers)),
  }
}

async function closeAll(closers: { name: string; close: Closer }[]): Promise<void> {
  const errors: Error[] = []
  for (const { name, close } of closers.reverse()) {
    try {
      await close()
    } catch (error) {
      errors.push(new Error(`stopping ${name}`, { cause: error }))
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'not everything stopped cleanly')
}
