/** A value of a JSON text, by where it stands. */
export interface JsonNode {
  kind: 'object' | 'array' | 'string' | 'scalar'
  start: number
  end: number
  /** Where its key starts; -1 for what is no member of an object. */
  keyAt: number
  keyEnd: number
}

const VALUE = /[[{"]|[^\s,\]}:]+/y
const NODES_MAX = 3_000

/** Every value of a sound JSON text. */
export function listJsonNodes(text: string): JsonNode[] {
  const nodes: JsonNode[] = []
  let at = 0

  function space(): void {
    while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  }

  function string(): number {
    const start = at++
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    at++
    return start
  }

  function parts(close: string, isObject: boolean): void {
    at++
    for (space(); text[at] !== close && at < text.length; space()) {
      let key: [number, number] = [-1, -1]
      if (isObject) {
        key = [string(), at]
        space()
        at++
        space()
      }
      value(key)
      space()
      if (text[at] === ',') at++
    }
    at++
  }

  function value([keyAt, keyEnd]: [number, number]): void {
    const node: JsonNode = { kind: 'scalar', start: at, end: at, keyAt, keyEnd }
    if (nodes.length < NODES_MAX) nodes.push(node)
    const first = text[at]
    if (first === '{' || first === '[') {
      node.kind = first === '{' ? 'object' : 'array'
      parts(first === '{' ? '}' : ']', first === '{')
    } else if (first === '"') {
      node.kind = 'string'
      string()
    } else {
      VALUE.lastIndex = at
      at += VALUE.exec(text)?.[0].length ?? 1
    }
    node.end = at
  }

  space()
  value([-1, -1])
  return nodes
}
