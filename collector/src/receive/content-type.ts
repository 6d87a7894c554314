import type { Encoding } from './outcome.ts'

export const MEDIA_TYPES = { json: 'application/json', protobuf: 'application/x-protobuf' } as const

/**
 * The encoding that a Content-Type names, or null for one that OTLP does not know. Case and parameters do not matter,
 * but for a charset other than UTF-8, which no body of ours can have.
 */
export function parseContentType(header: string | undefined): Encoding | null {
  if (header === MEDIA_TYPES.protobuf) return 'protobuf'
  if (header === MEDIA_TYPES.json) return 'json'
  if (header === undefined) return null
  const [type = '', ...parameters] = header.toLowerCase().split(';')
  if (!parameters.every(isUtf8OrNoCharset)) return null
  const media = type.trim()
  if (media === MEDIA_TYPES.protobuf || media === 'application/protobuf') return 'protobuf'
  return media === MEDIA_TYPES.json ? 'json' : null
}

function isUtf8OrNoCharset(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=', 2)
  return name.trim() !== 'charset' || /^"?utf-?8"?$/.test(value.trim())
}
