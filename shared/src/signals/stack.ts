/** Where a frame's code comes from decides whether it counts: an in-app frame names the bug, a library's frame only the way to it. */
interface Frame {
  /** `file:function` or `class.method`, without directories, line numbers and generated parts. */
  name: string
  inApp: boolean
}

const LINES_MAX = 400
const LINE_MAX_CHARS = 400
const FRAMES_MAX = 8
const TYPES_MAX = 4

/** Frames of runtimes, package folders and frameworks, by path or package name. */
const LIBRARY =
  /site-packages|dist-packages|node_modules|\/lib\/python\d|\/lib64\/python|node:|^internal\/|\/usr\/(?:local\/)?(?:lib|go)\/|\/go\/pkg\/mod\/|\/vendor\/|\/gems\/|\/rustc\/|\/\.cargo\/|\/hex\/|^\/?deps\/|<frozen |^(?:java|javax|jdk|sun|com\.sun|jakarta|kotlin|kotlinx|scala|groovy|org\.(?:springframework|apache|hibernate|eclipse|jboss|junit|postgresql)|io\.(?:netty|grpc|opentelemetry|vertx|micrometer|undertow)|reactor|com\.(?:zaxxer|fasterxml|mysql|google)|System|Microsoft|runtime|net\/http|std|core|alloc|tokio|anyhow|axum|hyper|actix_web|futures(?:_\w{1,20})?|tower|rust_begin_unwind)(?:[./:]|$)|^<(?:core|alloc|std|tokio|futures)/

/** Groups of exceptions are drawn as a tree. */
const PYTHON = /^[\s|]{0,40}File "([^"]{1,300})", line \d{1,9}, in (.{1,120})$/
const JAVASCRIPT =
  /^\s{0,20}at (?:(?:async |new )?([^\s()]{1,120}(?: \[as [^\]]{1,60}\])?) \()?((?:[A-Za-z]:)?[^()\s:]{0,200}(?::\/\/)?[^()\s:]{0,200}):\d{1,9}(?::\d{1,9})?\)?$/
const JAVA = /^\s{0,20}at (?:[\w.-]{1,60}\/{1,2}(?:[\w.-]{1,60}\/)?)?([\w.$]{1,200}\.[\w$<>]{1,100})\([^)]{0,120}\)/
const DOTNET = /^\s{0,20}at ([\w.`<>[\],+]{1,200})\([^)]{0,200}\)(?: in (.{1,200}):line \d{1,9})?$/
const GO = /^([\w./*()[\]-]{1,200})\(.{0,200}\)$/
const RUBY = /^\s{0,20}(?:from )?(\/?[\w./-]{1,200}\.rb):\d{1,9}:in [`'](.{1,120})'$/
const PHP = /^#\d{1,4} (\/?[\w./-]{1,200}\.php)\(\d{1,9}\): ([\w\\:>-]{1,160})\(/
const FIREFOX = /^([^\s@()]{0,120})@((?:https?|file|webpack[\w-]{0,20}):\/\/[^\s]{1,300}?):\d{1,9}(?::\d{1,9})?$/
const RUST = /^\s{0,8}\d{1,4}: (?:0x[0-9a-f]{1,16} - )?([\w<>&{}:, $*'-]{1,300})$/
const RUST_PLACE = /^\s{4,40}at (\S{1,300}\.rs):\d/
const ELIXIR = /^\s{0,8}\(([a-z_]{1,60}) [\w.-]{1,30}\) ([\w./-]{1,200}\.exs?):\d{1,9}: ([\w.!?]{1,160})\/\d/
const TYPE =
  /^(?:Caused by: |Exception in thread "[^"]{0,60}" )?([A-Za-z_][\w.$]{0,120}(?:Error|Exception|Throwable|Failure|Timeout|Fault))(?::|$)/

/** Anonymous and generated code: its names differ from build to build. */
const GENERATED =
  /\{\{closure\}\}|\{closure\}|lambda_method\d|<anonymous>|<lambda>|<listcomp>|<genexpr>|<dictcomp>|\$\$|\$Proxy|lambda\$|GeneratedMethodAccessor|EnhancerBy|^\(anonymous|^Object\.<|^eval$/

/**
 * What is stable in a stack trace: the types of its cause chain, then up to eight in-app frames, nearest to the raise first.
 * No line numbers, directories, build hashes, anonymous or generated frames, nor repetition by recursion. Empty where no in-app
 * frame is found, because a stack of library frames alone says no more than the message. Linear in the text.
 */
export function stackSignature(stack: string): string[] {
  const lines = stack.split('\n', LINES_MAX).map((line) => line.slice(0, LINE_MAX_CHARS))
  const lastRaised = lines.some((line) => PYTHON.test(line))
  const frames: Frame[] = []
  const types: string[] = []
  for (const [i, line] of lines.entries()) {
    const frame = frameOf(line, lines[i + 1] ?? '')
    if (frame) frames.push(frame)
    const type = frame ? undefined : TYPE.exec(line)?.[1]
    if (type !== undefined && types.length < TYPES_MAX && !types.includes(type)) types.push(type)
  }
  // Python prints the raise last, every other runtime first.
  if (lastRaised) frames.reverse()
  const names = frames.filter((frame) => frame.inApp).map((frame) => frame.name)
  const distinct = names.filter((name, i) => name !== names[i - 1]).slice(0, FRAMES_MAX)
  return distinct.length === 0 ? [] : [...types, ...distinct]
}

function frameOf(line: string, next: string): Frame | null {
  const found = parse(line, next)
  if (!found) return null
  const [path, name] = found
  if (name === '' || GENERATED.test(name)) return null
  const file = withoutHash(path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1))
  return { name: file === '' ? name : `${file}:${name}`, inApp: !LIBRARY.test(path === '' ? name : path) }
}

/** Path (empty where the frame names a class instead) and function. */
function parse(line: string, next: string): [string, string] | null {
  const python = PYTHON.exec(line)
  if (python) return [python[1]!, python[2]!]
  const ruby = RUBY.exec(line)
  if (ruby) return [ruby[1]!, rubyName(ruby[2]!)]
  const php = PHP.exec(line)
  if (php) return [php[1]!, php[2]!]
  const script = JAVASCRIPT.exec(line)
  if (script) return [script[2]!, scriptName(script[1] ?? '', line)]
  const firefox = FIREFOX.exec(line)
  if (firefox) return [firefox[2]!, scriptName(firefox[1]!, line)]
  return parseCompiled(line, next)
}

function parseCompiled(line: string, next: string): [string, string] | null {
  const java = JAVA.exec(line)
  if (java) return ['', java[1]!.replace(/\$\d{1,4}/g, '')]
  const dotnet = DOTNET.exec(line)
  if (dotnet) return ['', dotnetName(dotnet[1]!)]
  const rust = RUST.exec(line)
  const place = RUST_PLACE.exec(next)?.[1]
  // A list of causes is numbered, too.
  if (rust && (place !== undefined || rust[1]!.includes('::'))) return [place ?? '', rust[1]!.replace(/::h[0-9a-f]{16}$/, '')]
  const elixir = ELIXIR.exec(line)
  if (elixir) return [ELIXIR_LIBRARIES.test(elixir[1]!) ? 'deps/' : elixir[2]!, elixir[3]!]
  const go = /^\t\S{1,300}\.go:\d/.test(next) ? GO.exec(line) : null
  return go ? [next.trim().replace(/:\d.*$/, ''), goName(go[1]!)] : null
}

const ELIXIR_LIBRARIES =
  /^(?:elixir|stdlib|kernel|phoenix\w{0,30}|plug\w{0,30}|ecto\w{0,30}|cowboy\w{0,30}|bandit|db_connection|postgrex|ex_unit)$/

/** Newer Rubies name the class and how deep in blocks a frame is. */
function rubyName(name: string): string {
  return name.replace(/^(?:(?:block|rescue|ensure)(?: \(\d{1,3} levels\))? in ){1,8}/, '').replace(/^[\w:]{1,120}[#.]/, '')
}

/** Code as a browser gets it, or in lines longer than anybody writes. */
const BUNDLED = /https?:\/\/|:\d{1,9}:\d{3,9}\)?$/

/** A minifier's one or two letters differ from build to build; the name under which the function was called stays. */
function scriptName(name: string, line: string): string {
  const called = / \[as ([^\]]{1,60})\]$/.exec(name)
  const own = name.replace(/ \[as .{1,60}\]$/, '')
  const isMinified = BUNDLED.test(line) && own.split('.').every((part) => /^[\w$]{1,2}$/.test(part))
  return isMinified ? (called?.[1] ?? '') : own
}

/** Asynchronous methods and lambdas are classes of their own: `Orders.<PlaceAsync>d__12.MoveNext`. */
function dotnetName(name: string): string {
  return name
    .replace(/\.<>c(?:__DisplayClass\w{1,20})?(?=\.)/, '')
    .replace(/<(\w{1,120})>[db]__[\w|]{1,20}(?:\.MoveNext)?$/, '$1')
}

function goName(name: string): string {
  return name
    .slice(name.lastIndexOf('/') + 1)
    .replace(/\[\.\.\.\]/g, '')
    .replace(/(?:\.func\d{1,4}|\.\d{1,4}|\.gowrap\d{1,4}|-fm){1,8}$/, '')
}

/** `main.3f2a1bc4.js`, `index-Dk2_q81z.js` and `chunk-7HG2KD9A.mjs` change with every build. */
function withoutHash(file: string): string {
  return file.replace(/[.-](?=[\w-]{0,32}\d)[\w-]{6,32}(?=\.)/, '')
}
