/** An answer that says more than its body: another status of success, headers, or JSON that is already text. */
export class Reply {
  readonly status: number | null
  readonly body: unknown
  readonly headers: Record<string, string>
  /** Whether `body` is JSON text, sent byte for byte. */
  readonly raw: boolean

  constructor(
    status: number | null,
    body: unknown,
    { headers = {}, raw = false }: { headers?: Record<string, string>; raw?: boolean } = {},
  ) {
    this.status = status
    this.body = body
    this.headers = headers
    this.raw = raw
  }
}

/** Answers with one of the contract's `otherStatuses`, or with headers of its own. */
export function reply(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return new Reply(status, body, { headers })
}

/** Answers with JSON that was stored as text, byte for byte, under the contract's own status. */
export function rawJson(text: string, headers: Record<string, string> = {}): Reply {
  return new Reply(null, text, { headers, raw: true })
}
