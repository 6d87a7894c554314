/** How a body is compressed. */
export type Compression = 'identity' | 'gzip' | 'deflate' | 'zstd'

/** What `Accept-Encoding` of a 415 says. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, zstd, identity'

/** The compression that a Content-Encoding names, or null for one that is not taken, two in a row among them. */
export function parseContentEncoding(header: string | undefined): Compression | null {
  if (header === undefined || header === '') return 'identity'
  const name = header.trim().toLowerCase()
  if (name === 'identity' || name === 'gzip' || name === 'deflate' || name === 'zstd') return name
  return name === 'x-gzip' ? 'gzip' : null
}
