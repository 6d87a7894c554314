/** Headers that belong to one connection (RFC 9110 §7.6.1), or that the forwarder sets itself. */
const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'transfer-encoding',
  'host',
  'expect',
  'cookie',
  'x-t4-api-key',
  'authorization',
])
/** What stands for "no key" on behalf of a client that is not on this machine. */
const NO_KEY = 'Bearer'

type Headers = Record<string, string | string[] | undefined>

/**
 * The headers of a forwarded request. A key in `X-T4-API-KEY` is passed on as a bearer key. Where there is none, a client on
 * another machine is marked as one: to the collector every forwarded request comes from loopback, and requests from there
 * may be taken without a key (LOOPKIT_KEYLESS_PROJECT).
 */
export function forwardedHeaders(headers: Headers, loopback: boolean): Headers {
  const { authorization, 'x-t4-api-key': apiKey } = headers
  const key = authorization ?? (typeof apiKey === 'string' ? `Bearer ${apiKey}` : undefined) ?? (loopback ? undefined : NO_KEY)
  return { ...passOn(headers), ...(key !== undefined && { authorization: key }) }
}

/** The headers of a forwarded answer: the collector's, but for those of its connection. */
export function answeredHeaders(headers: Headers): Headers {
  return passOn(headers)
}

function passOn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => value !== undefined && !NOT_FORWARDED.has(name)))
}
