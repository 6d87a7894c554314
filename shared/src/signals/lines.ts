/** Lines of a message that can carry its meaning; what follows is a reminder, a listing or a payload. */
const LINES_MAX = 3

/** A stack inside a message, a code excerpt's caret, a table's rule. */
const NOISE = /^\s{0,200}(?:at \S|File "|Traceback \(|During handling of|The above exception|[\^~=+|_-]{1,200}\s{0,200}$)/

/** A line that only underlines the one before it: a compiler showing the code it choked on. */
const CARET = /^\s{0,2000}[\^~]{1,200}\s{0,200}$/

/** The first lines of a message that say something: no stacks, no code excerpts, no blank lines. */
export function significantLines(text: string): string {
  if (!text.includes('\n')) return text
  const lines = text.split('\n')
  const kept: string[] = []
  for (let i = 0; i < lines.length && kept.length < LINES_MAX; i++) {
    const line = lines[i]!
    if (line.trim() === '' || NOISE.test(line) || CARET.test(lines[i + 1] ?? '')) continue
    kept.push(line)
  }
  return kept.join('\n')
}
