import { expect } from '@jest/globals'
import type { GrpcAnswer } from '../harness/grpc-calls.ts'
import type { ApiAnswer } from '../harness/http.ts'
import { fieldsOf } from './stored-bytes.ts'

/** What the collector said, whatever protocol and encoding it said it in. */
export interface Said {
  /** Of HTTP; over gRPC null. */
  status: number | null
  /** google.rpc.Code; 0 is success. */
  code: number
  rejected: number
  message: string
}

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** The answer to an export, held to what every answer owes: its type exactly the request's, and nothing in it but what OTLP names. */
export function readHttpAnswer(answer: ApiAnswer, encoding: 'json' | 'protobuf'): Said {
  expect(answer.headers.get('content-type')).toBe(encoding === 'json' ? JSON_TYPE : PROTOBUF)
  const { status } = answer
  if (encoding === 'protobuf') return { status, ...(status === 200 ? readSuccess(answer.bytes) : readStatus(answer.bytes)) }
  const body = answer.json<Record<string, unknown>>()
  if (status !== 200) {
    expect(Object.keys(body).filter((key) => !['code', 'message', 'details'].includes(key))).toEqual([])
    return { status, code: body.code as number, rejected: 0, message: body.message as string }
  }
  expect(Object.keys(body).filter((key) => key !== 'partialSuccess')).toEqual([])
  const { rejectedSpans = '0', errorMessage = '', ...more } = (body.partialSuccess ?? {}) as Record<string, string>
  expect([typeof rejectedSpans, more]).toEqual(['string', {}])
  return { status, code: 0, rejected: Number(rejectedSpans), message: errorMessage }
}

export function readGrpcAnswer({ code, details, message }: GrpcAnswer): Said {
  return code === 0
    ? { status: null, ...readSuccess(message ?? new Uint8Array(0)) }
    : { status: null, code, rejected: 0, message: details }
}

function readSuccess(bytes: Uint8Array): Omit<Said, 'status'> {
  const fields = fieldsOf(Buffer.from(bytes))
  expect(fields.filter(({ number }) => number !== 1)).toEqual([])
  const partial = fields.length === 0 ? [] : fieldsOf(fields[0]!.bytes)
  return {
    code: 0,
    rejected: numberIn(partial.find(({ number }) => number === 1)?.bytes),
    message: partial.find(({ number }) => number === 2)?.bytes.toString() ?? '',
  }
}

/** A google.rpc.Status. */
function readStatus(bytes: Uint8Array): Omit<Said, 'status'> {
  const fields = fieldsOf(Buffer.from(bytes))
  return {
    code: numberIn(fields.find(({ number }) => number === 1)?.bytes),
    rejected: 0,
    message: fields.find(({ number }) => number === 2)?.bytes.toString() ?? '',
  }
}

function numberIn(bytes: Buffer | undefined): number {
  return (bytes ?? Buffer.alloc(0)).reduce((value, byte, at) => value + (byte % 128) * 128 ** at, 0)
}
