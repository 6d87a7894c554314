import { parseSync } from '@swc/core'
import type { SourceFile } from './source-tree.ts'

export interface MeasuredFunction {
  path: string
  line: number
  lines: number
}

interface AstNode {
  type?: string
  span?: { start: number; end: number }
  body?: { span?: { start: number; end: number } }
}

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'MethodProperty',
  'Constructor',
])

/** The length in lines of every function of a file, nested ones included, from the compiler's own tree. */
export function measureFunctions({ path, text }: SourceFile): MeasuredFunction[] {
  const bytes = Buffer.from(text)
  const tree = parseSync(text, { syntax: 'typescript', target: 'es2024' })
  // Positions are bytes, counted on over all files parsed so far. A module's span starts at its first token, not at its first byte.
  const first = firstTokenAt(text)
  const base = tree.span.start - Buffer.byteLength(text.slice(0, first))
  const lineAt = (position: number) => countLines(bytes, position - base)
  const found: MeasuredFunction[] = []
  walk(tree, (node) => {
    if (!FUNCTIONS.has(node.type ?? '')) return
    const span = node.span ?? node.body?.span
    if (span) found.push({ path, line: lineAt(span.start), lines: lineAt(span.end) - lineAt(span.start) + 1 })
  })
  return found
}

function walk(value: unknown, visit: (node: AstNode) => void): void {
  if (value === null || typeof value !== 'object') return
  if (!Array.isArray(value)) visit(value as AstNode)
  for (const child of Object.values(value)) walk(child, visit)
}

function countLines(bytes: Buffer, until: number): number {
  let lines = 1
  for (let at = 0; at < until && at < bytes.length; at++) if (bytes[at] === 10) lines++
  return lines
}

function firstTokenAt(text: string): number {
  const skipped = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n|#![^\n]*\n)*/.exec(text)
  return skipped?.[0].length ?? 0
}
