/** How the command line reaches a running analyzer. */
export interface ClientOptions {
  /** Base URL, without a trailing slash. */
  url: string
  /** Agent key; absent for calls that need none. */
  key?: string | undefined
}

/** The analyzer refused, or could not be reached; `status` is null in the latter case. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly status: number | null
  constructor(message: string, status: number | null) {
    super(message)
    this.status = status
  }
}

/** How long one call may take, in ms: a diagnosis of a month of data is well below. */
const CALL_MS = 60_000

/** One JSON call. Throws CallError with the problem's own code and detail; never prints a key. */
export async function call<T>({ url, key }: ClientOptions, method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (key) headers.authorization = `Bearer ${key}`
  if (body) headers['content-type'] = 'application/json'
  const response = await fetch(url + path, {
    method,
    headers,
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(CALL_MS),
  }).catch((error: Error) => {
    throw new CallError(`${url} was not reached: ${reasonOf(error)}`, null)
  })
  const text = await response.text()
  if (!response.ok) throw new CallError(describeProblem(response.status, text), response.status)
  return JSON.parse(text) as T
}

function reasonOf(error: Error): string {
  const cause = error.cause as { code?: string } | undefined
  return cause?.code ?? error.message
}

function describeProblem(status: number, text: string): string {
  try {
    const problem = JSON.parse(text) as { code?: string; detail?: string; title?: string }
    return `${status} ${problem.code ?? ''}: ${problem.detail ?? problem.title ?? ''}`.trim()
  } catch {
    return `${status}: the answer was not JSON`
  }
}
