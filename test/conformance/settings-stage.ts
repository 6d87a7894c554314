import { framed, openRawConnection } from '../harness/grpc-calls.ts'
import { until } from '../harness/http.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import { createStage, type Stage } from './stage.ts'

/** In front of /v1/traces. */
export const PREFIX = '/otlp'
export const ORIGIN = 'https://app.example'
/** Small enough to be reached by one message. */
export const HOLD_BYTES = 1024 ** 2
export const LIMITS = { bodyMaxBytes: 2 * 1024 ** 2, keylessProject: 'keyless' } as const

export interface SettingsStage extends Stage {
  /** Where requests from loopback without a key go. */
  keyless: ProjectKeys
}

/** The product with everything set that changes what the door takes. */
export async function createSettingsStage(): Promise<SettingsStage> {
  const stage = await createStage('settings', {
    LOOPKIT_BODY_MAX_BYTES: String(LIMITS.bodyMaxBytes),
    LOOPKIT_IN_FLIGHT_MAX_BYTES: String(HOLD_BYTES),
    LOOPKIT_KEYLESS_PROJECT: LIMITS.keylessProject,
    LOOPKIT_OTLP_PATH_PREFIX: PREFIX,
    LOOPKIT_CORS_ORIGINS: `${ORIGIN},https://*.example.org`,
  })
  return { ...stage, keyless: await stage.product.provision(LIMITS.keylessProject) }
}

/** Takes all room for bodies with one call that announces as much and does not send it; call the answer to give it back. */
export async function holdAllRoom(stage: Stage): Promise<() => void> {
  const { session, open } = openRawConnection(stage.grpcPort)
  const holding = open({ authorization: `Bearer ${stage.keys.producer_key}` })
  holding.write(framed(new Uint8Array(1), { announced: HOLD_BYTES }))
  await until('the room to be taken', async () =>
    (await stage.metric(/loopkit_in_flight_bytes (\d+)/)) === HOLD_BYTES ? true : null,
  )
  return () => {
    holding.cancel()
    session.destroy()
  }
}
