import { contract } from '../../http/contract.ts'

const text = { type: 'string' } as const
const json = { type: 'object' } as const
const common = { method: 'get', auth: 'none', status: 200, errors: [] } as const
const markdown = 'text/markdown; charset=utf-8'

export const llmsText = contract({
  ...common,
  operation: 'llmsText',
  summary: 'What this server is, for language models',
  path: '/llms.txt',
  produces: 'text/plain; charset=utf-8',
  response: text,
})

export const agentsPage = contract({
  ...common,
  operation: 'agentsPage',
  summary: 'How an agent works with this server',
  path: '/agents.md',
  produces: markdown,
  response: text,
})

export const quickstartPage = contract({
  ...common,
  operation: 'quickstartPage',
  summary: 'From nothing to a first diagnosis',
  path: '/quickstart.md',
  produces: markdown,
  response: text,
})

export const authPage = contract({
  ...common,
  operation: 'authPage',
  summary: 'Keys, scopes, recovery and what refusals mean',
  path: '/auth.md',
  produces: markdown,
  response: text,
})

export const contactDocument = contract({
  ...common,
  operation: 'contactDocument',
  summary: 'Who answers for this instance, and where its documents are',
  path: '/contact.json',
  response: json,
})

export const openApiDocument = contract({
  ...common,
  operation: 'openApiDocument',
  summary: 'Every operation of this server as OpenAPI 3.1',
  path: '/openapi.json',
  response: json,
})

export const improvementPacketDocument = contract({
  ...common,
  operation: 'improvementPacketDocument',
  summary: 'JSON Schema of the manifest that `loopkit run` writes',
  path: '/schema/improvement-packet.json',
  response: json,
})
