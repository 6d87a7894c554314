import type { Failure } from './model.ts'

/** Whether the error reached the root of its trace: what the whole run was for is lost, not only a step of it. */
export function endedTrace({ span, propagatedTo }: Pick<Failure, 'span' | 'propagatedTo'>): boolean {
  return [span, ...propagatedTo.map((ancestor) => ancestor.span)].some(({ log, parentSpanId }) => !log && parentSpanId === null)
}
