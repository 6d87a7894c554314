import type { ServerResponse } from 'node:http'

/** For answers that are not pages: nothing may be loaded or framed from them. */
const API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
/** For pages: their own scripts and styles from files of this server, calls to this server, nothing inline, nothing foreign. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'"

/** The headers of every answer, errors included. */
export function setSecurityHeaders(response: ServerResponse, requestId: string): void {
  response.setHeader('x-request-id', requestId)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-security-policy', API_CSP)
}

export function setPageHeaders(response: ServerResponse): void {
  response.setHeader('content-security-policy', PAGE_CSP)
}
