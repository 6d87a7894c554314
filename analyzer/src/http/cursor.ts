import { createHash } from 'node:crypto'
import { errorKind, fail } from './errors.ts'

export const invalidCursor = errorKind({ code: 'invalid_cursor', status: 400, title: 'The cursor is not one of this query' })

/** What a cursor belongs to: it is refused for another project, another list or another query. */
export interface CursorScope {
  projectId: string
  list: string
  /** The filters of the query; the page size may change between pages. */
  query: unknown
}

const SEAL_CHARACTERS = 16
/** Of the largest, which names 500 pains. */
export const CURSOR_MAX_CHARACTERS = 6_144

/**
 * An opaque place in a list. The seal has no secret: it keeps honest clients from mixing queries up. Whoever forges one only
 * moves about in a list of their own project, since the project never comes from the cursor.
 */
export function writeCursor(scope: CursorScope, position: unknown): string {
  const text = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${text}.${sealOf(scope, text)}`
}

/** The position that was written for this scope, or refuses with 400. */
export function readCursor(scope: CursorScope, cursor: string): unknown {
  const [text = '', seal] = cursor.slice(0, CURSOR_MAX_CHARACTERS).split('.')
  if (seal !== sealOf(scope, text)) fail(invalidCursor, 'take next_cursor from the last page of the same query, unchanged')
  return JSON.parse(Buffer.from(text, 'base64url').toString())
}

function sealOf({ projectId, list, query }: CursorScope, text: string): string {
  return createHash('sha256')
    .update(JSON.stringify([projectId, list, query, text]))
    .digest('base64url')
    .slice(0, SEAL_CHARACTERS)
}
