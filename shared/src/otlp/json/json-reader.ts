import { OtlpDecodeError } from '../decode-error.ts'
import { type FieldNames, findField, NO_FIELD, type UsualKey } from './field-names.ts'
import { BACKSLASH, IS_PLAIN, QUOTE, specialBytes, unescapedText } from './json-escape.ts'

const COMMA = 0x2c
const COLON = 0x3a
export const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
export const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const END = -1

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** What one request may take up: `{},{},…` of 64 MiB would become gigabytes elsewhere. */
export interface JsonLimits {
  jsonDepthMax: number
  jsonValuesMax: number
}

/**
 * A run of text that most senders write exactly so, with what it would have changed had it been read part by part: values
 * counted, objects opened (or, below zero, closed). It ends before the quote that is its last byte.
 */
export interface UsualRun {
  bytes: Uint8Array
  values: number
  opened: number
  /** How far to move: up to its last quote, or behind it all. */
  length: number
}

export function createUsualRun(text: string, values: number, opened: number): UsualRun {
  return { bytes: new TextEncoder().encode(text), values, opened, length: text.endsWith('"') ? text.length - 1 : text.length }
}

/**
 * Reads JSON from its bytes, value by value, without making objects and without recursion: whoever calls says what is
 * expected next. Strict where RFC 8259 is (no comments, no trailing commas, nothing behind the value), and bounded in
 * depth and number of values. Throws `OtlpDecodeError`.
 */
export class JsonReader {
  readonly bytes: Buffer
  readonly view: DataView
  readonly end: number
  /** Where the next byte is read. */
  at = 0
  /** Bounds of the string's content or of the number that was read last. */
  textStart = 0
  textEnd = 0
  /** The string that was read last has escapes in it. */
  escaped = false
  /** The number that was read last has neither fraction nor exponent. */
  integer = false
  private readonly limits: JsonLimits
  private readonly kinds: Uint8Array
  private depth = 0
  private values = 1
  /** An object or array was entered and none of its parts read yet: no comma is due. */
  private fresh = false

  constructor(json: Uint8Array, limits: JsonLimits) {
    this.bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength)
    this.view = new DataView(json.buffer, json.byteOffset, json.byteLength)
    this.end = json.byteLength
    this.limits = limits
    this.kinds = new Uint8Array(limits.jsonDepthMax + 1)
    if (this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) this.at = 3
  }

  malformed(what: string): OtlpDecodeError {
    return new OtlpDecodeError('malformed_json', `${what} at byte ${this.at}`)
  }

  /** The next byte that is no white space, or -1 at the end. */
  peek(): number {
    const { bytes, end } = this
    let at = this.at
    let byte = END
    while (at < end) {
      byte = bytes[at]!
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
      at++
    }
    this.at = at
    return at < end ? byte : END
  }

  /** Moves over this run if it comes next; else nothing is changed, so that it is read part by part. */
  skip(run: UsualRun): boolean {
    const { bytes, at } = this
    const usual = run.bytes
    if (at + usual.length >= this.end) return false
    for (let i = 0; i < usual.length; i++) if (bytes[at + i] !== usual[i]) return false
    const depth = this.depth + run.opened
    if (depth > this.limits.jsonDepthMax || this.values + run.values > this.limits.jsonValuesMax) return false
    if (run.opened > 0) this.kinds[depth] = OPEN_BRACE
    this.depth = depth
    this.values += run.values
    this.fresh = false
    this.at = at + run.length
    return true
  }

  /** Whether so many levels more and so many values more are within the limits. */
  allows(levels: number, values: number): boolean {
    return this.depth + levels <= this.limits.jsonDepthMax && this.values + values <= this.limits.jsonValuesMax
  }

  /** Moves behind a value that was read without this reader, in which so many values are to be counted. */
  pass(behind: number, values: number): void {
    this.values += values
    this.fresh = false
    this.at = behind
  }

  /** Enters the object or array that starts here. */
  enter(): void {
    if (this.depth === this.limits.jsonDepthMax) {
      throw new OtlpDecodeError('too_deep', `nested deeper than ${this.limits.jsonDepthMax} at byte ${this.at}`)
    }
    this.kinds[++this.depth] = this.bytes[this.at++]!
    this.fresh = true
  }

  /** On to the next key of the object that was entered, whose bounds are then known, and to its value; false at its end. */
  nextKey(): boolean {
    if (!this.nextPart(CLOSE_BRACE)) return false
    this.key()
    return true
  }

  private key(): void {
    if (this.bytes[this.at] !== QUOTE) throw this.malformed('a key expected')
    this.string()
    if (this.escaped) this.text()
    if (this.peek() !== COLON) throw this.malformed('a colon expected')
    this.at++
    this.peek()
  }

  /** On to the next element of the array that was entered; false at its end. */
  nextElement(): boolean {
    return this.nextPart(CLOSE_BRACKET)
  }

  private nextPart(close: number): boolean {
    let byte = this.peek()
    if (byte === close) {
      this.at++
      this.depth--
      this.fresh = false
      return false
    }
    if (!this.fresh) {
      if (byte !== COMMA) throw this.malformed('a comma expected')
      this.at++
      byte = this.peek()
      if (byte === close) throw this.malformed('a trailing comma')
    }
    this.fresh = false
    if (++this.values > this.limits.jsonValuesMax) {
      throw new OtlpDecodeError('too_many_values', `more than ${this.limits.jsonValuesMax} values`)
    }
    return true
  }

  /**
   * On to the value of the next field that is known and not null, whose number among `names` is given; `NO_FIELD` at the
   * end of the object. Unknown fields are skipped; null is the default, as if the field was not there. `guess` is the
   * field that most senders write next: where it is right, its key is compared and not searched.
   */
  nextField(names: FieldNames, guess: number): number {
    while (this.nextPart(CLOSE_BRACE)) {
      let field = guess
      if (!this.skipKey(names.keys[guess])) {
        this.key()
        const key = this.resolved()
        field = findField(names, key, this.textStart, this.textEnd)
      }
      if (this.isNull()) this.literal()
      else if (field === NO_FIELD) this.skipValue()
      else return field
    }
    return NO_FIELD
  }

  /** Skips a key that is written exactly so, and white space behind it. */
  private skipKey(key: UsualKey | undefined): boolean {
    const { bytes, view, at } = this
    if (key === undefined || at + key.length >= this.end) return false
    const { words } = key
    for (let i = 0; i < words.length; i++) if (view.getInt32(at + i * 4, true) !== words[i]) return false
    for (let i = words.length * 4; i < key.length; i++) if (bytes[at + i] !== key.bytes[i]) return false
    this.at = at + key.length
    if (bytes[this.at]! <= 0x20) this.peek()
    return true
  }

  isNull(): boolean {
    return this.bytes[this.at] === 0x6e
  }

  /** Reads the string that starts here; its bounds are then known. */
  string(): void {
    const { bytes, view, end } = this
    const plain = IS_PLAIN
    let at = this.at + 1
    this.textStart = at
    this.escaped = false
    for (;;) {
      for (const last = end - 4; at <= last && specialBytes(view.getInt32(at, true)) === 0; at += 4);
      while (at < end && plain[bytes[at]!] === 1) at++
      if (at < end && bytes[at] === QUOTE) break
      if (at >= end || bytes[at] !== BACKSLASH) throw this.malformed('a string that is not closed, or a control character in it')
      this.escaped = true
      at += 2
    }
    this.textEnd = at
    this.at = at + 1
  }

  /** The text of the string or number that was read last. */
  text(): string {
    if (this.escaped) return unescapedText(this.bytes, this.textStart, this.textEnd)
    return this.bytes.toString('utf8', this.textStart, this.textEnd)
  }

  /** The bytes in which the string or number that was read last stands without escapes; its bounds are changed to fit. */
  resolved(): Buffer {
    if (!this.escaped) return this.bytes
    const text = Buffer.from(this.text())
    this.escaped = false
    this.textStart = 0
    this.textEnd = text.length
    return text
  }

  /** Reads `true`, `false` or `null` and says which. */
  literal(): boolean | null {
    const first = this.bytes[this.at]
    const [word, value] =
      first === 0x74 ? ([TRUE, true] as const) : first === 0x66 ? ([FALSE, false] as const) : ([NULL, null] as const)
    if (this.bytes.compare(word, 0, word.length, this.at, Math.min(this.end, this.at + word.length)) !== 0)
      throw this.malformed('a value expected')
    this.at += word.length
    return value
  }

  /** Reads the number that starts here by JSON's grammar; its bounds are then known. */
  number(): void {
    const { bytes } = this
    let at = this.at
    this.textStart = at
    this.escaped = false
    if (bytes[at] === 0x2d) at++
    const first = at
    at = this.digits(at)
    if (bytes[first] === 0x30 && at > first + 1) throw this.malformed('a number with a leading zero')
    this.integer = true
    if (bytes[at] === 0x2e) {
      this.integer = false
      at = this.digits(at + 1)
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      this.integer = false
      at++
      at = this.digits(bytes[at] === 0x2b || bytes[at] === 0x2d ? at + 1 : at)
    }
    this.textEnd = at
    this.at = at
  }

  private digits(start: number): number {
    const { bytes } = this
    let at = start
    while (at < this.end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++
    if (at === start) throw this.malformed('a value expected')
    return at
  }

  /** Skips the value that starts here, whatever it is, checking it as strictly as if it were wanted. */
  skipValue(): void {
    const outside = this.depth
    do {
      const byte = this.bytes[this.at]
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.enter()
      else this.skipScalar(byte)
      while (this.depth > outside && !(this.kinds[this.depth] === OPEN_BRACE ? this.nextKey() : this.nextElement()));
    } while (this.depth > outside)
  }

  private skipScalar(byte: number | undefined): void {
    if (byte === QUOTE) {
      this.string()
      if (this.escaped) this.text()
    } else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) this.literal()
    else this.number()
  }

  /** Nothing but white space may follow. */
  finish(): void {
    if (this.peek() !== END) throw this.malformed('something behind the value')
  }
}
