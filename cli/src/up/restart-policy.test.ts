import { expect, test } from '@jest/globals'
import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import { decideRestart } from './restart-policy.ts'

test.each([
  [
    'a first crash restarts almost at once',
    { exitCode: 1, ranMs: 50_000, crashesInARow: 0 },
    { action: 'restart', delayMs: 200 },
  ],
  ['a kill restarts', { exitCode: null, ranMs: 5, crashesInARow: 0 }, { action: 'restart', delayMs: 200 }],
  ['each crash in a row doubles the wait', { exitCode: 1, ranMs: 5, crashesInARow: 3 }, { action: 'restart', delayMs: 1600 }],
  ['the wait is bounded', { exitCode: 1, ranMs: 5, crashesInARow: 4000 }, { action: 'restart', delayMs: 10_000 }],
  [
    'a failed fsync restarts, since recovery is what mends it',
    { exitCode: EXIT.software, ranMs: 5, crashesInARow: 0 },
    { action: 'restart', delayMs: 200 },
  ],
  [
    'a taken port gives up',
    { exitCode: EXIT.portTaken, ranMs: 5, crashesInARow: 0 },
    { action: 'give_up', exitCode: EXIT.portTaken },
  ],
  [
    'a wrong setting gives up',
    { exitCode: EXIT.config, ranMs: 5, crashesInARow: 0 },
    { action: 'give_up', exitCode: EXIT.config },
  ],
  [
    'a newer schema gives up',
    { exitCode: EXIT.schemaNewer, ranMs: 5, crashesInARow: 2 },
    { action: 'give_up', exitCode: EXIT.schemaNewer },
  ],
] as const)('%s', (_name, end, expected) => {
  expect(decideRestart(end)).toEqual(expected)
})
