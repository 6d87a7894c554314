import { mulberry32 } from '../demo/random.ts'
import { callApi } from '../harness/http.ts'
import { startProduct } from '../harness/start-product.ts'
import { createSpanOracle, type OracleVerdict } from './span-oracle.ts'

export interface KillOptions {
  /** Ends by SIGKILL, at random moments. */
  kills: number
  /** Ends by SIGTERM after that, under the same load. */
  cleanStops: number
  /** Says when the kills strike. */
  seed: number
  onKill?: (what: string) => void
}

export interface KillReport extends OracleVerdict {
  /** What the ledger says was accepted: equal to `acknowledged` when nothing was counted twice. */
  accepted: number
  /** Kills that struck while requests were under way: without any the run has shown nothing. */
  killsUnderLoad: number
  /** Of the collector's clean stops, those under load first. */
  exitCodes: (number | null)[]
}

const SENDERS = 6
/** A kill comes at a random moment of this many milliseconds after the collector is ready. */
const KILL_WITHIN_MS = 1500
/** The senders go on for this long after the last restart, so that lost answers are asked for again. */
const SETTLE_MS = 300

/** Ends the collector again and again while spans stream in, then lets the oracle compare what it was promised with what is stored. */
export async function runKills({ kills, cleanStops, seed, onKill = () => {} }: KillOptions): Promise<KillReport> {
  const random = mulberry32(seed)
  const product = await startProduct()
  try {
    const keys = await product.provision('kill-9')
    const oracle = createSpanOracle(product.otlpUrl, keys.producer_key)
    let over = false
    let killsUnderLoad = 0
    const exitCodes: (number | null)[] = []
    const senders = Promise.all(Array.from({ length: SENDERS }, (_, sender) => oracle.drive(sender, () => over)))
    const killer = async () => {
      for (let kill = 1; kill <= kills + cleanStops; kill++) {
        const afterMs = Math.round(random() * KILL_WITHIN_MS)
        await new Promise((resolve) => setTimeout(resolve, afterMs))
        const underWay = oracle.underWay()
        const signal = kill <= kills ? 'SIGKILL' : 'SIGTERM'
        if (underWay > 0) killsUnderLoad++
        const exitCode = await product.endCollector(signal)
        if (signal === 'SIGTERM') exitCodes.push(exitCode)
        await product.restartCollector()
        onKill(
          `${signal} ${kill} after ${afterMs} ms, ${underWay} requests under way, ${oracle.acknowledged()} spans acknowledged`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    }
    await Promise.race([killer(), senders])
    over = true
    await senders
    const ledger = await callApi(`${product.analyzerUrl}/v1/ingest/ledger`, { key: keys.agent_key })
    const verdict = await oracle.check(product.analyzerUrl, keys.agent_key)
    const { accepted } = ledger.json<{ accepted: number }>()
    exitCodes.push((await product.stop()).collector)
    return { ...verdict, accepted, killsUnderLoad, exitCodes }
  } finally {
    await product.stop()
  }
}
