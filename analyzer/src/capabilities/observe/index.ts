import type { Control } from '../../control/control-database.ts'
import { type Route, route } from '../../http/contract.ts'
import { decide, observe } from './observe.contract.ts'
import { createObserveQueries } from './observe.queries.ts'
import { createDecide, createObserve, type ObserveDeps } from './observe.ts'

export type { PainEvent } from './memory.rules.ts'

/** What is new since somebody last decided, and what became of what was decided. */
export function createObserveCapability(deps: ObserveDeps & { control: Control }): { routes: Route[] } {
  const store = createObserveQueries(deps.control)
  const look = createObserve(deps, store)
  const close = createDecide(deps, store)
  return {
    routes: [
      route(observe, ({ caller, body, request }) => look(caller, { peek: body.peek ?? false }, request)),
      route(decide, ({ caller, body, request }) => close(caller, body, request)),
    ],
  }
}
