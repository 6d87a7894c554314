import { FAULT_HEADER, type Listening, listen, text } from '../http-service.ts'
import { intBetween, mulberry32, type Random, seedOf } from '../random.ts'

/** The result of an MCP `tools/call`: a failed tool is a result too. */
export interface McpResult {
  content: { type: 'text'; text: string }[]
  isError: boolean
}

interface McpRequest {
  jsonrpc: '2.0'
  id: number
  method: 'tools/call'
  params: { name: string; arguments: Record<string, unknown> }
}

/** An MCP server over streamable HTTP, reduced to `tools/call`. */
export function startMcpServer(): Promise<Listening> {
  return listen(async (request, response) => {
    const { id, params } = JSON.parse(await text(request)) as McpRequest
    const fault = request.headers[FAULT_HEADER] as string | undefined
    const result = callTool(params.name, fault, mulberry32(seedOf(`${request.headers.traceparent}`)))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
}

function callTool(name: string, fault: string | undefined, random: Random): McpResult {
  const order = intBetween(random, 10_000, 99_999)
  if (name === 'lookup_order' && fault === 'mcp-lookup')
    return failed(`order ${order} is not known to warehouse EU-${intBetween(random, 1, 9)}`)
  if (name === 'create_ticket' && fault === 'mcp-ticket')
    return failed(`ticket queue q-${intBetween(random, 100, 999)} is closed for customer ${order}`)
  return { content: [{ type: 'text', text: `${name}: done for ${order}; 0 errors, last failure 2 years ago` }], isError: false }
}

const failed = (message: string): McpResult => ({ content: [{ type: 'text', text: message }], isError: true })
