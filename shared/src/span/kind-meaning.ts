import type { SpanView } from './record.ts'

/** What a dialect's own word for a kind of span means. */
export interface KindMeaning {
  kind: SpanView['kind']
  /** null: the span's own name says more than a verb would. */
  work: string | null
}

/** By the word in lower case. */
export type Meanings = ReadonlyMap<string, KindMeaning>

export function meaningIn(meanings: Meanings, word: string | null): KindMeaning | undefined {
  return word === null ? undefined : meanings.get(word.toLowerCase())
}
