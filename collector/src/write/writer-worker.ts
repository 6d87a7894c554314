import { flushCompileCache } from 'node:module'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { freeMemory } from '@loopkit/shared/otlp/free-memory'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { createGarbageCollector } from '@loopkit/shared/runtime/garbage'
import { DETECTION_KEYS } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import { createDecisionDesk } from '../decide/decision-line.ts'
import { createMadeUpBody, warmUp } from '../start/warm-up.ts'
import { movedBuffers, unpackGroup } from './group-memory.ts'
import { createLogMoved } from './log-moved.ts'
import type { PackedGroup, WriterData, WriterMessage } from './messages.ts'
import { createFirstTurn } from './write-turn.ts'
import { createWriter } from './writer.ts'
import { createLineEnd } from './writer-line.ts'

const { path, redact, signalsOff, warmsUp, writeTurn, line, decisions } = workerData as WriterData
const filter = createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES)
const garbage = createGarbageCollector()
const startedMs = systemClock.monotonicMs()
const writer = createWriter({
  path,
  redact,
  clock: systemClock,
  turn: createFirstTurn(writeTurn),
  logMoved: createLogMoved(writeTurn),
  rules: { filter, signalsOff: new Set(signalsOff as SignalType[]) },
})

if (warmsUp) rehearse()
parentPort!.postMessage({ kind: 'ready' })
flushCompileCache()
serve()

function rehearse(): void {
  const body = createMadeUpBody()
  warmUp(() => writer.rehearse(body), systemClock.monotonicMs, startedMs)
}

/** Until it is told to close. The thread blocks where there is nothing to do: its event loop never turns. */
function serve(): void {
  const end = createLineEnd(line)
  const desk = createDecisionDesk(decisions, line)
  for (;;) {
    const seen = end.seen()
    const group = end.take()
    if (group) commit(group)
    const message = nextMessage()
    if (message?.kind === 'commit') commit(message)
    else if (message?.kind === 'close') break
    // Spans go first: somebody waits for them.
    const batch = group ? undefined : desk.next()
    if (batch) desk.answer(writer.decide(batch))
    if (!group && !message && !batch) end.wait(seen)
  }
  writer.close()
  decisions.close()
  parentPort!.postMessage({ kind: 'closed' })
  parentPort!.close()
}

function nextMessage(): WriterMessage | undefined {
  return receiveMessageOnPort(parentPort!)?.message as WriterMessage | undefined
}

function commit(group: PackedGroup): void {
  parentPort!.postMessage(writer.commit(unpackGroup(group)))
  writer.tidyLog()
  for (const buffer of movedBuffers(group)) freeMemory(new Uint8Array(buffer))
  garbage.afterWork()
}
