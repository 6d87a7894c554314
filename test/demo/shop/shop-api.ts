import type { Agent } from 'node:http'
import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { type Call, CallError, callTraced } from '../http-client.ts'
import { FAULT_HEADER, type Incoming, type Listening, type Reply, type Route, serveTraced } from '../http-service.ts'
import { intBetween, type Random } from '../random.ts'
import type { TraceIds } from '../trace-ids.ts'

export interface ShopApiDeps {
  tracer: Tracer
  ids: TraceIds
  agent: Agent
  inventoryUrl: string
  thirdPartyUrl: string
  /** Nothing listens there: recommendations that are down. */
  downUrl: string
}

/** How long the shop waits for a payment; the timeout fault answers later than this. */
const PAYMENT_TIMEOUT_MS = 60
const PAYMENT_ATTEMPTS = 2

/** The shop's own service: products, search, checkout, reviews, orders, carts. */
export function startShopApi(deps: ShopApiDeps): Promise<Listening> {
  const routes: Route[] = [
    { method: 'GET', template: '/products/{id}', handle: (incoming) => showProduct(deps, incoming) },
    { method: 'GET', template: '/search', handle: (incoming) => search(deps, incoming) },
    { method: 'POST', template: '/checkout', handle: (incoming) => checkOut(deps, incoming) },
    { method: 'POST', template: '/reviews', handle: (incoming) => review(incoming) },
    { method: 'DELETE', template: '/carts/{id}', handle: (incoming, span) => cancelCart(incoming, span) },
    {
      method: 'GET',
      template: '/orders/{id}',
      handle: (incoming) => ({ status: 200, body: { order: incoming.params.id, state: 'sent' } }),
    },
  ]
  return serveTraced({ tracer: deps.tracer, ids: deps.ids, routes, tellsErrors: false })
}

const call = (deps: ShopApiDeps, fault: string | null, what: Omit<Call, 'headers'>) =>
  callTraced(deps.tracer, deps.agent, { ...what, headers: fault ? { [FAULT_HEADER]: fault } : {} })

async function showProduct(deps: ShopApiDeps, { params, fault }: Incoming): Promise<Reply> {
  const stock = await call(deps, fault, {
    method: 'GET',
    baseUrl: deps.inventoryUrl,
    host: 'inventory',
    path: `/stock/${params.id}`,
    template: '/stock/{id}',
  })
  // An unknown product is an everyday answer.
  if (stock.status === 404) return { status: 404, body: { error: `no product ${params.id}` } }
  await recommendOrGoWithout(deps, fault)
  return { status: 200, body: { product: params.id, stock: stock.body.count } }
}

async function recommendOrGoWithout(deps: ShopApiDeps, fault: string | null): Promise<void> {
  await call(deps, fault, {
    method: 'GET',
    baseUrl: fault === 'picks-refused' ? deps.downUrl : deps.thirdPartyUrl,
    host: 'recommendations.internal',
    path: '/recommendations',
    template: '/recommendations',
  }).catch(() => null)
}

/** Healthy although an exception is recorded: the index is stale, the search goes on without it, and says OK. */
function search(deps: ShopApiDeps, { query, random }: Incoming): Reply {
  deps.tracer.startActiveSpan('rank hits', (span) => {
    if (random() < 0.2) {
      span.recordException(new Error(`stale index segment ${intBetween(random, 1, 99)}: falling back to a scan`))
      span.setStatus({ code: SpanStatusCode.OK })
    }
    span.end()
  })
  return {
    status: 200,
    body: { query: query.get('q'), hits: intBetween(random, 0, 30), hint: 'searching "error 500" or "timeout" is fine' },
  }
}

async function checkOut(deps: ShopApiDeps, { body, fault, random }: Incoming): Promise<Reply> {
  const cart = String(body.cart)
  priceCart(deps.tracer, cart, fault)
  applyCoupon(deps.tracer, cart, fault, random)
  await call(deps, fault, {
    method: 'POST',
    baseUrl: deps.inventoryUrl,
    host: 'inventory',
    path: '/reservations',
    template: '/reservations',
    body: { product: body.product, cart },
  })
  await addTax(deps, fault, random)
  await payWithRetry(deps, fault, { cart, merchant: `m-${intBetween(random, 100, 999)}` })
  return { status: 201, body: { order: `o-${intBetween(random, 10_000, 99_999)}` } }
}

function priceCart(tracer: Tracer, cart: string, fault: string | null): void {
  tracer.startActiveSpan('price cart', { attributes: { 'cart.id': cart } }, (span) => {
    try {
      const prices: { currency: string }[] = fault === 'cart-currency' ? [] : [{ currency: 'EUR' }]
      span.setAttribute('cart.currency', (prices[0] as { currency: string }).currency)
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: `${(error as Error).message} of cart ${cart}` })
      throw error
    } finally {
      span.end()
    }
  })
}

/** A failed coupon costs nobody the order: the error stays in its span. */
function applyCoupon(tracer: Tracer, cart: string, fault: string | null, random: Random): void {
  tracer.startActiveSpan('apply coupon', (span) => {
    if (fault === 'coupon-balance') {
      const off = (intBetween(random, 101, 9_999) / 100).toFixed(2)
      span.setStatus({ code: SpanStatusCode.ERROR, message: `coupon ledger is off by ${off} EUR for cart ${cart}` })
    }
    span.end()
  })
}

async function addTax(deps: ShopApiDeps, fault: string | null, random: Random): Promise<void> {
  // Without an answer the last known rate is used.
  await call(deps, fault, {
    method: 'GET',
    baseUrl: deps.thirdPartyUrl,
    host: 'tax.example',
    path: `/tax?account=${intBetween(random, 1_000, 9_999)}`,
    template: '/tax',
  }).catch(() => null)
}

async function payWithRetry(deps: ShopApiDeps, fault: string | null, body: { cart: string; merchant: string }): Promise<void> {
  const payment = {
    method: 'POST',
    baseUrl: deps.thirdPartyUrl,
    host: 'payments.example',
    path: '/payments',
    template: '/payments',
    body,
    timeoutMs: fault === 'payment-timeout' ? PAYMENT_TIMEOUT_MS : undefined,
  } as const
  for (let attempt = 1; ; attempt++) {
    try {
      await call(deps, fault, payment)
      return
    } catch (error) {
      const worthwhile = error instanceof CallError && error.status === 503
      if (!worthwhile || attempt === PAYMENT_ATTEMPTS) throw error
    }
  }
}

function review({ body, fault }: Incoming): Reply {
  const text = fault === 'review-encoding' ? '%E0%A4%A' : encodeURIComponent(String(body.text))
  return { status: 201, body: { stored: decodeURIComponent(text).length } }
}

/** A cancelled cart is a customer's right. */
function cancelCart({ params }: Incoming, span: Span): Reply {
  span.addEvent('cart cancelled', { 'cart.id': params.id ?? '', reason: 'customer aborted: payment failed elsewhere' })
  span.setAttribute('cart.state', 'cancelled')
  return { status: 200, body: { cancelled: params.id } }
}
