import type { SpanView } from '../span/record.ts'

/** Words of operations whose time is not their own: they wait for people, for the clock, or for what a stream brings next. */
const WAITING_WORDS: ReadonlySet<string> = new Set(
  `approval approve approvals human handoff confirmation wait waiting sleep delay pause idle poll polling longpoll listen
   listener subscribe subscription watch watcher websocket websockets ws wss sse eventsource keepalive heartbeat receive consume`.split(
    /\s+/,
  ),
)
/** A stream only as a name of traffic: the streamed answer of a model ends like any other. */
const STREAM_WORDS: ReadonlySet<string> = new Set(['stream', 'streams', 'streaming', 'tunnel', 'connect'])
const STREAM_KINDS: ReadonlySet<SpanView['kind']> = new Set(['http', 'rpc', 'messaging', 'other'])

/**
 * Whether runs of this operation take as long as somebody or something lets them: people who approve, timers, long polls, streams that
 * stay open. How long they take says nothing of how well they work.
 */
export function waitsByDesign({ kind, operation }: Pick<SpanView, 'kind' | 'operation'>): boolean {
  const words = operation
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (words.includes('user') && (words.includes('input') || words.includes('ask'))) return true
  const mayStream = STREAM_KINDS.has(kind)
  return words.some((word) => WAITING_WORDS.has(word) || (mayStream && STREAM_WORDS.has(word)))
}
