import { textAt } from '../attribute-values.ts'
import { OPERATION_CHARS_MAX, type ViewDraft } from '../view-draft.ts'

/** RPC: `rpc.system`, `rpc.service` and `rpc.method`, or their successors, where the method is `service/method` at once. */
export const RPC_KEYS = ['rpc.system.name', 'rpc.system', 'rpc.service', 'rpc.method'] as const

/** The operation is `service/method`, in both generations of the convention. */
export function readRpc(draft: ViewDraft): void {
  const { attributes } = draft
  const method = textAt(attributes, 'rpc.method', OPERATION_CHARS_MAX)
  const service = textAt(attributes, 'rpc.service', OPERATION_CHARS_MAX)
  const system = attributes.has('rpc.system') ? 'rpc.system' : 'rpc.system.name'
  if (method === null && service === null && !attributes.has(system)) return
  draft.kind = 'rpc'
  draft.derived.kind = attributes.has(system) ? system : method !== null ? 'rpc.method' : 'rpc.service'
  if (method !== null) {
    draft.operation = service === null || method.includes('/') ? withoutSlash(method) : `${withoutSlash(service)}/${method}`
    draft.derived.operation = 'rpc.method'
  } else if (service !== null) {
    draft.operation = withoutSlash(service)
    draft.derived.operation = 'rpc.service'
  }
}

function withoutSlash(text: string): string {
  return text.startsWith('/') ? text.slice(1) : text
}
