import { FAULT_HEADER, type Listening, listen, text } from '../http-service.ts'

interface Reply {
  status: number
  body: unknown
  /** Answers only after this time. */
  delayMs?: number
}

/** Longer than the shop waits for its payments. */
const SLOW_PAYMENT_MS = 400

/** Many times what recommendations take, and nothing fails. */
const SLOW_PICKS_MS = 6_000

/** The companies the shop depends on, without telemetry of their own: payments, taxes, recommendations. */
export function startThirdParties(): Promise<Listening> {
  // A payment that was reset succeeds when it is tried again: the party remembers whom it has failed.
  const failedOnce = new Set<string>()
  return listen(async (request, response) => {
    const body = JSON.parse((await text(request)) || '{}') as Record<string, unknown>
    const fault = request.headers[FAULT_HEADER] as string | undefined
    const url = new URL(request.url ?? '/', 'http://localhost')
    const { status, body: answer, delayMs } = serve(url, { body, fault, failedOnce })
    if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
}

function serve(
  { pathname, searchParams }: URL,
  { body, fault, failedOnce }: { body: Record<string, unknown>; fault: string | undefined; failedOnce: Set<string> },
): Reply {
  if (pathname === '/payments') return pay(body, fault, failedOnce)
  if (pathname === '/tax') return tax(fault, searchParams.get('account'))
  const picks = { status: 200, body: { picks: [17, 4, 99] } }
  return fault === 'picks-slow' ? { ...picks, delayMs: SLOW_PICKS_MS } : picks
}

function pay(body: Record<string, unknown>, fault: string | undefined, failedOnce: Set<string>): Reply {
  const cart = String(body.cart)
  switch (fault) {
    case 'payment-timeout':
      return { status: 200, body: { paid: true }, delayMs: SLOW_PAYMENT_MS }
    case 'payment-signature':
      return { status: 401, body: { error: { message: `signature of merchant ${body.merchant} has expired for cart ${cart}` } } }
    case 'payment-503':
      if (failedOnce.has(cart)) break
      failedOnce.add(cart)
      return { status: 503, body: { error: { message: `upstream ${body.merchant} reset before headers, cart ${cart}` } } }
  }
  return { status: 200, body: { paid: true, note: 'no error, no timeout' } }
}

function tax(fault: string | undefined, account: string | null): Reply {
  if (fault !== 'tax-429') return { status: 200, body: { rate: 0.19 } }
  return { status: 429, body: { error: { message: `quota of account ${account} is used up until midnight` } } }
}
