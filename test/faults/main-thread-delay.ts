import { callApi } from '../harness/http.ts'

/** How long the main thread of a service was kept from what it had to do, in ms, since it was asked before. */
export interface MainThreadDelay {
  p999Ms: number
  maxMs: number
}

/** From the service itself: the one who asks may be held up too. */
export async function readMainThreadDelay(url: string): Promise<MainThreadDelay> {
  const { text } = await callApi(`${url}/metrics`)
  const readMs = (name: string) =>
    Math.round(Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (.+)$`, 'm').exec(text)?.[1] ?? Number.NaN) * 1000)
  return { p999Ms: readMs('p999'), maxMs: readMs('max') }
}
