/** Whole numbers ≥ 0, each in base 128, the lowest seven bits first. */
export function packVarints(values: Iterable<number>): Uint8Array {
  const bytes: number[] = []
  for (let value of values) {
    for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
    bytes.push(value)
  }
  return Uint8Array.from(bytes)
}

export function unpackVarints(bytes: Uint8Array): number[] {
  const values: number[] = []
  let value = 0
  let unit = 1
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * unit
    if (byte >= 0x80) unit *= 0x80
    else {
      values.push(value)
      value = 0
      unit = 1
    }
  }
  return values
}

/** Reads them one by one, without a copy, and bytes between them. */
export function createVarintReader(bytes: Uint8Array) {
  let at = 0
  return {
    isOver: (): boolean => at >= bytes.length,
    next(): number {
      let value = 0
      let unit = 1
      for (;;) {
        const byte = bytes[at++]!
        value += (byte & 0x7f) * unit
        if (byte < 0x80) return value
        unit *= 0x80
      }
    },
    take(length: number): Uint8Array {
      at += length
      return bytes.subarray(at - length, at)
    },
  }
}
