import { expect, test } from '@jest/globals'
import { EXCEPTION_FIXTURES } from './exceptions.fixture.ts'
import { exceptionsOf } from './exceptions.ts'
import { contextOf } from './sent-span.fixture.ts'

test.each(EXCEPTION_FIXTURES)('$guarantee', ({ sent, exceptions }) => {
  expect(exceptionsOf(contextOf(sent).span)).toEqual(exceptions)
})
