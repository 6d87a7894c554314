import type { OtlpAttributes } from '../../otlp/model.ts'
import { boundText, textAt } from '../attribute-values.ts'
import { templateName, templatePath } from '../name-template.ts'
import { OPERATION_CHARS_MAX, type ViewDraft } from '../view-draft.ts'

/** HTTP as OpenTelemetry has it since 1.23, and the names of before (`http.method`, `http.url`, `net.peer.name` …). */
export const HTTP_KEYS = [
  'http.request.method',
  'http.method',
  'http.route',
  'http.response.status_code',
  'http.status_code',
  'url.template',
  'url.path',
  'http.target',
  'url.full',
  'http.url',
  'server.address',
  'http.host',
  'net.peer.name',
  'net.peer.ip',
] as const

/** Without a method, only these show that a request was made. */
const EXCHANGE_KEYS = ['http.response.status_code', 'http.status_code', 'url.full', 'http.url'] as const
const KIND_KEYS = ['http.request.method', 'http.method', ...EXCHANGE_KEYS] as const
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'])
const SPAN_KIND_SERVER = 2
const SPAN_KIND_CLIENT = 3
/** Longer than any URL's part that decides: scheme, host and the first segments. */
const URL_CHARS_MAX = 2048

/**
 * A server's operation is its method and route; without a route its method and the path with ids as `:id`.
 * A client's is its method and the host: the paths of another service are that service's to name.
 */
export function readHttp(draft: ViewDraft): void {
  const { attributes } = draft
  const method = methodOf(attributes)
  // A route alone is a router's inner step (Express middleware): it keeps its span name.
  if (method === null && !hasExchange(attributes)) return
  draft.kind = 'http'
  draft.derived.kind = KIND_KEYS.find((key) => attributes.has(key))!
  const target = isClient(draft) ? clientTarget(attributes) : serverTarget(attributes)
  if (target === null) {
    if (method !== null) draft.operation = method
    return
  }
  draft.operation = `${method ?? 'HTTP'} ${target.text}`
  draft.derived.operation = target.key
}

function methodOf(attributes: OtlpAttributes): string | null {
  const method = attributes.get('http.request.method') ?? attributes.get('http.method')
  if (typeof method !== 'string' || method === '') return null
  if (KNOWN_METHODS.has(method)) return method
  // `_OTHER` and words of the sender's own would be as many operations as there are scanners.
  const upper = method.length <= 10 ? method.toUpperCase() : ''
  return KNOWN_METHODS.has(upper) ? upper : 'HTTP'
}

function hasExchange(attributes: OtlpAttributes): boolean {
  return EXCHANGE_KEYS.some((key) => attributes.has(key))
}

function isClient(draft: ViewDraft): boolean {
  if (draft.span.kind === SPAN_KIND_CLIENT) return true
  if (draft.span.kind === SPAN_KIND_SERVER) return false
  const { attributes } = draft
  const servesPath = attributes.has('http.route') || attributes.has('http.target') || attributes.has('url.path')
  return !servesPath && (attributes.has('url.full') || attributes.has('http.url'))
}

interface Target {
  text: string
  key: string
}

function serverTarget(attributes: OtlpAttributes): Target | null {
  const route = textAt(attributes, 'http.route', OPERATION_CHARS_MAX)
  if (route !== null) return { text: route, key: 'http.route' }
  for (const key of ['url.path', 'http.target'] as const) {
    const path = textAt(attributes, key, URL_CHARS_MAX)
    if (path !== null) return { text: templatePath(path), key }
  }
  for (const key of ['url.full', 'http.url'] as const) {
    const url = textAt(attributes, key, URL_CHARS_MAX)
    if (url !== null) return { text: templatePath(pathOf(url)), key }
  }
  return null
}

function clientTarget(attributes: OtlpAttributes): Target | null {
  const host = hostTarget(attributes)
  const template = textAt(attributes, 'url.template', OPERATION_CHARS_MAX)
  if (template === null) return host
  return { text: boundText(`${host?.text ?? ''}${template}`, OPERATION_CHARS_MAX), key: 'url.template' }
}

function hostTarget(attributes: OtlpAttributes): Target | null {
  for (const key of ['server.address', 'net.peer.name', 'http.host'] as const) {
    const host = textAt(attributes, key, OPERATION_CHARS_MAX)
    if (host !== null) return { text: templateName(withoutPort(host)), key }
  }
  for (const key of ['url.full', 'http.url'] as const) {
    const url = textAt(attributes, key, URL_CHARS_MAX)
    const host = url === null ? '' : hostOf(url)
    if (host !== '') return { text: templateName(host), key }
  }
  const address = textAt(attributes, 'net.peer.ip', OPERATION_CHARS_MAX)
  return address === null ? null : { text: templateName(address), key: 'net.peer.ip' }
}

function authorityOf(url: string): { start: number; end: number } {
  const scheme = url.indexOf('://')
  const start = scheme < 0 ? 0 : scheme + 3
  const length = url.slice(start).search(/[/?#]/)
  return { start, end: length < 0 ? url.length : start + length }
}

function pathOf(url: string): string {
  if (url.startsWith('/')) return url
  return url.slice(authorityOf(url).end)
}

function hostOf(url: string): string {
  if (url.startsWith('/')) return ''
  const { start, end } = authorityOf(url)
  const authority = url.slice(start, end)
  return withoutPort(authority.slice(authority.lastIndexOf('@') + 1))
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '')
}
