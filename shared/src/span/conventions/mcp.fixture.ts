import { type SpanFixture, viewWith } from './sent-span.fixture.ts'

export const MCP_FIXTURES: readonly SpanFixture[] = [
  {
    guarantee: "is a tool's run like any other dialect's; the connection is no user's session while a conversation is known",
    sent: {
      name: 'tools/call get_forecast',
      kind: 3,
      resource: { 'service.name': 'assistant' },
      attributes: {
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'get_forecast',
        'mcp.session.id': 'mcp-1f',
        'gen_ai.conversation.id': 'conv-2',
        'mcp.protocol.version': '2025-06-18',
        'jsonrpc.request.id': '12',
        'rpc.system': 'jsonrpc',
        'network.transport': 'tcp',
      },
    },
    view: viewWith({
      kind: 'tool',
      operation: 'execute_tool get_forecast',
      service: 'assistant',
      tool: 'get_forecast',
      session: 'conv-2',
      derived_from: {
        service: 'resource.service.name',
        kind: 'gen_ai.operation.name',
        tool: 'gen_ai.tool.name',
        session: 'gen_ai.conversation.id',
        operation: 'gen_ai.tool.name',
      },
    }),
  },
  {
    guarantee: 'reads the tool from the span name, and the connection as session of last resort',
    sent: {
      name: 'tools/call get_forecast',
      kind: 2,
      attributes: { 'mcp.method.name': 'tools/call', 'mcp.session.id': 'mcp-1f', 'error.type': 'tool_error' },
    },
    view: viewWith({
      kind: 'tool',
      operation: 'execute_tool get_forecast',
      tool: 'get_forecast',
      session: 'mcp-1f',
      derived_from: { kind: 'mcp.method.name', tool: 'span.name', session: 'mcp.session.id', operation: 'span.name' },
    }),
  },
  {
    guarantee: 'reads the tool as instrumentations outside the convention name it',
    sent: { name: 'mcp.tool', attributes: { 'mcp.tool.name': 'list_files' } },
    view: viewWith({
      kind: 'tool',
      operation: 'execute_tool list_files',
      tool: 'list_files',
      derived_from: { kind: 'mcp.tool.name', tool: 'mcp.tool.name', operation: 'mcp.tool.name' },
    }),
  },
  {
    guarantee: 'takes the other methods as calls of the protocol',
    sent: { name: 'initialize', kind: 3, attributes: { 'mcp.method.name': 'initialize', 'mcp.protocol.version': '2025-06-18' } },
    view: viewWith({
      kind: 'rpc',
      operation: 'initialize',
      derived_from: { kind: 'mcp.method.name', operation: 'mcp.method.name' },
    }),
  },
  {
    guarantee: 'names a prompt that is asked for',
    sent: {
      name: 'prompts/get code_review',
      kind: 3,
      attributes: { 'mcp.method.name': 'prompts/get', 'gen_ai.prompt.name': 'code_review' },
    },
    view: viewWith({
      kind: 'rpc',
      operation: 'prompts/get code_review',
      derived_from: { kind: 'mcp.method.name', operation: 'mcp.method.name' },
    }),
  },
]
