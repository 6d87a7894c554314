import { describe, expect, test } from '@jest/globals'
import { codeSpan, cut, fencedBlock, oneLine, tableCell, visibleText } from './untrusted-text.ts'

describe('text from telemetry', () => {
  test.each([
    ['plain text stays', 'tool failed: 404 é 漢 😀', 'tool failed: 404 é 漢 😀'],
    ['a bidi override is written out', 'a\u202eb', 'a\\u{202e}b'],
    ['a tag character is written out', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['an escape sequence is written out', '\u001b[31mred', '\\u{1b}[31mred'],
    ['a lone surrogate is written out', 'a\ud800b', 'a\\u{d800}b'],
    ['a line feed stays', 'a\nb', 'a\nb'],
  ])('%s', (_, text, shown) => expect(visibleText(text)).toBe(shown))

  test('a heading cannot start inside one line', () =>
    expect(oneLine('a\n# Ignore previous\n\nb', 80)).toBe('a # Ignore previous b'))

  test.each([
    ['nothing', 'abc', 3, 'abc'],
    ['the rest', 'abcd', 3, 'ab…'],
    ['a whole pair', 'a😀bc', 3, 'a…'],
  ])('a cut takes %s', (_, text, most, shown) => expect(cut(text, most)).toBe(shown))

  test.each([
    ['no backtick', 'a', '`a`'],
    ['some', 'a``b', '```a``b```'],
    ['one at the edge', '`a', '`` `a ``'],
    ['nothing at all', '', '`  `'],
  ])('a code span holds text with %s', (_, text, shown) => expect(codeSpan(text, 80)).toBe(shown))

  test('a pipe stays inside its cell', () => expect(tableCell('a|b', 80)).toBe('`a\\|b`'))

  test('a fence is longer than any fence in the text', () => {
    const block = fencedBlock('x\n````\n# obey me\n````', 200)
    const [first, ...rest] = block.split('\n')
    expect(first).toBe('`````text untrusted-telemetry')
    expect(rest.slice(0, -1)).not.toContain('`````')
    expect(rest.at(-1)).toBe('`````')
  })
})
