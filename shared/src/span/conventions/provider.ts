/** What the AI SDK appends to a provider for the kind of model: `openai.chat`, `anthropic.messages`. */
const MODEL_KINDS = [
  '.chat',
  '.messages',
  '.responses',
  '.completion',
  '.embedding',
  '.textembedding',
  '.generative-ai',
  '.image',
  '.speech',
  '.transcription',
] as const

/** One spelling of a provider for all dialects: lower case, without the kind of model; the convention's own dots stay. */
export function canonicalProvider(provider: string): string {
  const lower = provider.toLowerCase()
  const kind = MODEL_KINDS.find((suffix) => lower.endsWith(suffix))
  return kind === undefined ? lower : lower.slice(0, -kind.length)
}
