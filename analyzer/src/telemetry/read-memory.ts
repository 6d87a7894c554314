import { type BoundedMemory, createBoundedMemory } from './bounded-memory.ts'

/**
 * What one reader remembers from one question to the next. Only what follows from telemetry that does not change any more, by what it
 * follows from: answers are the same without it, after a restart and from another reader.
 */
export interface ReadMemory {
  take<V>(kind: MemoryKind<V>): BoundedMemory<V>
  /** What is kept of the one that was asked about last, a project mostly; else made. */
  only<V>(kind: MemoryKind<V>, of: string | number, make: () => V): V
}

/** What is remembered of one kind, and in how many bytes at most. */
export interface MemoryKind<V> {
  name: string
  maxBytes: number
  /** Never there: it ties the kind to its type. */
  value?: V
}

const MIB = 1024 ** 2

export function memoryOf<V>(name: string, maxMib = 0): MemoryKind<V> {
  return { name, maxBytes: maxMib * MIB }
}

/** `share` 0 remembers nothing: for who wants to know that it changes nothing. */
export function createReadMemory(share = 1): ReadMemory {
  const memories = new Map<string, BoundedMemory<unknown>>()
  const last = new Map<string, { of: string | number; value: unknown }>()
  return {
    take<V>({ name, maxBytes }: MemoryKind<V>) {
      const memory = memories.get(name) ?? createBoundedMemory<unknown>(share * maxBytes)
      memories.set(name, memory)
      return memory as BoundedMemory<V>
    },
    only<V>({ name }: MemoryKind<V>, of: string | number, make: () => V) {
      const before = last.get(name)
      if (before?.of === of && share > 0) return before.value as V
      const value = make()
      last.set(name, { of, value })
      return value
    },
  }
}
