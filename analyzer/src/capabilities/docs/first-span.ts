/** The smallest useful request: one failed span. The same line stands in the contract and works to the letter. */
export const FIRST_SPAN =
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"trace_1","spanId":"span_1","name":"tool_call_failed","startTimeUnixNano":"1781856000000000000","status":{"code":2,"message":"tool failed"}}]}]}]}'
