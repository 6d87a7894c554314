export type OtlpDecodeErrorCode = 'malformed_protobuf' | 'malformed_json' | 'too_deep' | 'too_many_values'

/**
 * A body that cannot be read at all and must be answered with 400. The message names what is wrong and the byte
 * offset, and never quotes the body: telemetry may carry secrets.
 */
export class OtlpDecodeError extends Error {
  readonly code: OtlpDecodeErrorCode

  constructor(code: OtlpDecodeErrorCode, message: string) {
    super(message)
    this.name = 'OtlpDecodeError'
    this.code = code
  }
}
