import { visibleText } from '../domain/untrusted-text.ts'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Any text as it stands in HTML text or in a quoted attribute: it cannot leave either, and nothing in it is hidden. */
export function escapeHtml(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
