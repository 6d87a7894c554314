import type { Agent } from 'node:http'
import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { Scenario } from '../fault-catalogue.ts'
import { type Call, callTraced } from '../http-client.ts'
import { FAULT_HEADER } from '../http-service.ts'
import { intBetween, pick, type Random } from '../random.ts'

export interface ShopWebDeps {
  tracer: Tracer
  agent: Agent
  shopUrl: string
}

export interface PageView {
  scenario: Exclude<Scenario, 'support'>
  faultId: string | null
  random: Random
}

/** Share of product pages that ask for a product which does not exist. */
const UNKNOWN_PRODUCT_SHARE = 0.08

/** One customer's page view: a root span and the requests the page makes. Never rejects: the page shows the error. */
export function viewPage({ tracer, agent, shopUrl }: ShopWebDeps, { scenario, faultId, random }: PageView): Promise<void> {
  return tracer.startActiveSpan(
    `page ${scenario}`,
    { attributes: { 'page.name': scenario, 'user.id': `u-${intBetween(random, 1, 400)}` } },
    async (span) => {
      try {
        if (scenario === 'wishlist') syncWishlist(tracer, faultId, random)
        else {
          const headers: Record<string, string> = faultId ? { [FAULT_HEADER]: faultId } : {}
          await callTraced(tracer, agent, {
            ...requestOf(scenario, faultId, random),
            baseUrl: shopUrl,
            host: 'api.shop.example',
            headers,
          })
        }
      } catch (error) {
        failPage(span, error as Error)
      } finally {
        span.end()
      }
    },
  )
}

function failPage(span: Span, error: Error): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

function requestOf(scenario: PageView['scenario'], faultId: string | null, random: Random): Omit<Call, 'baseUrl' | 'host'> {
  const cart = `c-${intBetween(random, 1e8, 9e8)}`
  switch (scenario) {
    case 'search':
      return {
        method: 'GET',
        path: `/search?q=${pick(random, ['lamp', 'error 404 poster', 'timeout chair'])}`.replaceAll(' ', '+'),
        template: '/search',
      }
    case 'checkout':
      return { method: 'POST', path: '/checkout', template: '/checkout', body: { cart, product: intBetween(random, 1, 200) } }
    case 'review':
      return {
        method: 'POST',
        path: '/reviews',
        template: '/reviews',
        body: { text: 'the alarm clock failed, an exception: it rang' },
      }
    case 'cancel':
      return { method: 'DELETE', path: `/carts/${cart}`, template: '/carts/{id}' }
    default:
      return { method: 'GET', path: `/products/${productOf(faultId, random)}`, template: '/products/{id}' }
  }
}

function productOf(faultId: string | null, random: Random): number {
  const unknown = faultId === null && random() < UNKNOWN_PRODUCT_SHARE
  return unknown ? intBetween(random, 900, 999) : intBetween(random, 1, 200)
}

function syncWishlist(tracer: Tracer, faultId: string | null, random: Random): void {
  tracer.startActiveSpan('sync wishlist', (span) => {
    if (faultId === 'wishlist-heads') {
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: `wishlist of customer ${intBetween(random, 1_000, 9_999)} has two diverging heads`,
      })
    }
    span.end()
  })
}
