import type { RecordedException } from './exceptions.ts'
import type { SentSpan } from './sent-span.fixture.ts'

export interface ExceptionFixture {
  guarantee: string
  sent: SentSpan
  exceptions: RecordedException[]
}

export const EXCEPTION_FIXTURES: readonly ExceptionFixture[] = [
  {
    guarantee: 'reads an exception event',
    sent: {
      name: 'POST /checkout',
      events: [
        {
          name: 'exception',
          attributes: {
            'exception.type': 'CardDeclined',
            'exception.message': 'card ending 4242 was declined',
            'exception.stacktrace': 'CardDeclined: card ending 4242 was declined\n    at pay (/app/pay.js:10:3)',
          },
        },
      ],
    },
    exceptions: [
      {
        type: 'CardDeclined',
        message: 'card ending 4242 was declined',
        stacktrace: 'CardDeclined: card ending 4242 was declined\n    at pay (/app/pay.js:10:3)',
        escaped: false,
      },
    ],
  },
  {
    guarantee: 'keeps the order and passes other events by',
    sent: {
      name: 'retry',
      events: [
        { name: 'exception', attributes: { 'exception.type': 'TimeoutError', 'exception.escaped': 'True' } },
        { name: 'message', attributes: { 'message.id': 1 } },
        { name: 'log', attributes: { 'exception.type': 'KeyError', 'exception.message': "'sku'" } },
      ],
    },
    exceptions: [
      { type: 'TimeoutError', message: null, stacktrace: null, escaped: true },
      { type: 'KeyError', message: "'sku'", stacktrace: null, escaped: false },
    ],
  },
  {
    guarantee: 'finds nothing in an event without words, or with values that are no text',
    sent: {
      name: 'odd',
      events: [
        { name: 'exception', attributes: {} },
        { name: 'exception', attributes: { 'exception.type': 5, 'exception.message': ['a'] } },
      ],
    },
    exceptions: [],
  },
]
