import { improvementPacketSchema } from '@loopkit/shared/improvement-packet/improvement-packet'
import type { Addresses } from '../../domain/signup-answer.ts'
import { type Contract, type Route, route } from '../../http/contract.ts'
import { toOpenApi } from '../../http/openapi.ts'
import { agentsPage } from './agents-page.ts'
import { authPage } from './auth-page.ts'
import * as documents from './docs.contract.ts'
import { llmsPage } from './llms-page.ts'
import { quickstartPage } from './quickstart-page.ts'

export interface DocsDeps {
  addresses: Addresses
  version: string
  /** Contracts of the other capabilities. */
  contracts: readonly Contract[]
}

const DESCRIPTION =
  'Failures that repeat, found in OpenTelemetry traces, with evidence. OTLP itself (POST /v1/traces, /v1/logs, /v1/metrics) is taken on this port too and follows the OTLP specification.'

/** Public documents, with this instance's own addresses in them. */
export function createDocs({ addresses, version, contracts }: DocsDeps): { routes: Route[] } {
  const all = [...contracts, ...Object.values(documents)]
  return {
    routes: [
      route(documents.llmsText, () => llmsPage(addresses)),
      route(documents.agentsPage, () => agentsPage(addresses)),
      route(documents.quickstartPage, () => quickstartPage(addresses)),
      route(documents.authPage, () => authPage(addresses)),
      route(documents.contactDocument, () => contactOf(addresses, version)),
      route(documents.openApiDocument, () =>
        toOpenApi(all, { title: 'LoopKit', version, serverUrl: addresses.analyzerUrl(), description: DESCRIPTION }),
      ),
      route(documents.improvementPacketDocument, () => ({ ...improvementPacketSchema })),
    ],
  }
}

function contactOf({ analyzerUrl, otlpUrl }: Addresses, version: string) {
  const url = analyzerUrl()
  return {
    name: 'LoopKit',
    version,
    url,
    otlp_url: otlpUrl(),
    contact: 'The people who run this instance; LoopKit itself is self-hosted and calls nobody.',
    lost_keys: `${url}/auth.md`,
    documents: ['/llms.txt', '/agents.md', '/quickstart.md', '/auth.md', '/openapi.json', '/schema/improvement-packet.json'].map(
      (path) => url + path,
    ),
  }
}
