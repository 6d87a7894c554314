import { expect, test } from '@jest/globals'
import { scanTraces } from '@loopkit/shared/otlp/scan-traces'
import { createMadeUpBody, warmUp } from './warm-up.ts'

test('the made-up body is one that is taken whole', () => {
  const { count, reject, hasError } = scanTraces(createMadeUpBody(), { anyValueDepthMax: 8 })
  expect([count, reject.some((reason) => reason !== 0), hasError.includes(1)]).toEqual([240, false, true])
})

test('warming up ends on a machine on which it does not get far', () => {
  let nowMs = 0
  let rounds = 0
  warmUp(
    () => {
      rounds++
      nowMs += 100
    },
    () => nowMs,
  )
  expect(rounds).toBe(3)
})

test('a start that took long already is not made longer', () => {
  let rounds = 0
  warmUp(
    () => {
      rounds++
    },
    () => 1_000,
    100,
  )
  expect(rounds).toBe(0)
})
