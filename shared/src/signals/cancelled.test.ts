import { expect, test } from '@jest/globals'
import { detect } from './detect.ts'
import { CLIENT, ERROR, SERVER, type SpanSketch, sketchSpan, sketchView } from './trace.fixture.ts'

const signalOf = (sketch: SpanSketch) => detect(sketchSpan(sketch), sketchView(sketch.view), new Set())?.signal ?? null

test.each<[what: string, sketch: SpanSketch]>([
  ['a visitor who left', { kind: SERVER, status: ERROR, attributes: { 'http.response.status_code': 499 } }],
  ['a browser that went elsewhere', { kind: CLIENT, status: ERROR, exception: ['AbortError', 'The user aborted a request.'] }],
  ['a coroutine', { status: ERROR, exception: ['asyncio.exceptions.CancelledError', ''] }],
  ['an event without a status', { exception: ['kotlinx.coroutines.JobCancellationException', 'gone'] }],
  ['.NET', { status: ERROR, exception: ['System.OperationCanceledException', 'The operation was canceled.'] }],
  ['Go, in words alone', { kind: SERVER, status: ERROR, message: 'context canceled' }],
  [
    'a gRPC server whose caller left',
    { kind: SERVER, status: ERROR, message: 'client is gone', attributes: { 'rpc.grpc.status_code': 1 } },
  ],
])('a call that was given up is no failure: %s', (_what, sketch) => expect(signalOf(sketch)).toBeNull())

test.each<[what: string, signal: string, sketch: SpanSketch]>([
  [
    'cancelled since it took too long',
    'timeout',
    {
      status: ERROR,
      exception: [
        'System.Threading.Tasks.TaskCanceledException',
        'The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.',
      ],
    },
  ],
  [
    'beside another error',
    'exception',
    { status: ERROR, attributes: { 'error.type': 'KeyError' }, exception: ['CancelledError', ''] },
  ],
  [
    'with a server error',
    'error_status',
    { kind: SERVER, status: ERROR, message: 'context canceled', attributes: { 'http.response.status_code': 500 } },
  ],
  [
    'a call that its own program gave up',
    'exception',
    { parent: 'handler', kind: CLIENT, status: ERROR, exception: ['AbortError', 'This operation was aborted'] },
  ],
  ['an order that was cancelled', 'error_status', { status: ERROR, message: 'order 17 was cancelled by the shop' }],
])('a failure stays one: %s', (_what, signal, sketch) => expect(signalOf(sketch)).toBe(signal))
