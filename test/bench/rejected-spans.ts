const PARTIAL_SUCCESS = 0x0a
const REJECTED = 0x08

/** What an export response says of spans or log records not taken. Some servers answer something else with 200: then none. */
export function rejectedSpans(body: Buffer, isJson: boolean): number {
  if (body.length === 0) return 0
  if (isJson) {
    try {
      const { partialSuccess } = JSON.parse(body.toString()) as {
        partialSuccess?: { rejectedSpans?: string; rejectedLogRecords?: string }
      }
      return Number(partialSuccess?.rejectedSpans ?? partialSuccess?.rejectedLogRecords ?? 0)
    } catch {
      return 0
    }
  }
  // partial_success = 1, in it rejected_spans = 1; the length between them may take more than one byte.
  if (body[0] !== PARTIAL_SUCCESS) return 0
  const inner = readVarint(body, 1)
  return body[inner.end] === REJECTED ? readVarint(body, inner.end + 1).value : 0
}

function readVarint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0
  let end = at
  for (let factor = 1; end < bytes.length; factor *= 128) {
    value += (bytes[end]! & 0x7f) * factor
    if (bytes[end++]! < 0x80) break
  }
  return { value, end }
}
