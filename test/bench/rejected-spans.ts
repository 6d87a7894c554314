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
  // partial_success = 1, in it rejected_spans = 1.
  if (body[0] !== 0x0a || body[2] !== 0x08) return 0
  let rejected = 0
  for (let at = 3, factor = 1; at < body.length; at++, factor *= 128) {
    rejected += (body[at]! & 0x7f) * factor
    if (body[at]! < 0x80) break
  }
  return rejected
}
