import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { createAttributeFilter } from '@loopkit/shared/otlp/decode-traces'
import { systemClock } from '@loopkit/shared/runtime/clock'
import { DETECTION_KEYS } from '@loopkit/shared/signals/detect'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { WANTED_KEYS, WANTED_PREFIXES } from '@loopkit/shared/span/wanted-keys'
import { unpackGroup } from './group-memory.ts'
import { createLogMoved } from './log-moved.ts'
import type { WriterData, WriterMessage } from './messages.ts'
import { createFirstTurn } from './write-turn.ts'
import { createWriter } from './writer.ts'

const { path, redact, signalsOff, writeTurn } = workerData as WriterData
const filter = createAttributeFilter([...WANTED_KEYS, ...DETECTION_KEYS], WANTED_PREFIXES)
const writer = createWriter({
  path,
  redact,
  clock: systemClock,
  turn: createFirstTurn(writeTurn),
  logMoved: createLogMoved(writeTurn),
  rules: { filter, signalsOff: new Set(signalsOff as SignalType[]) },
})

parentPort!.on('message', (message: WriterMessage) => {
  if (message.kind === 'commit') {
    parentPort!.postMessage(writer.commit(unpackGroup(message)))
    writer.tidyLog()
  } else if (message.kind === 'decided') writer.noteDecided(message.hashes)
  else {
    writer.close()
    parentPort!.postMessage({ kind: 'closed' })
    parentPort!.close()
  }
})
parentPort!.postMessage({ kind: 'ready' })
flushCompileCache()
