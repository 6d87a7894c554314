/**
 * The slowest runs that are stored of an operation (by its run key) in its latest hour: what is faster need not be told again, since
 * it would not be kept. What is forgotten here costs bytes and changes nothing.
 */
export type SlowestStored = WeakMap<object, { hour: number; valuesMs: number[] }>
