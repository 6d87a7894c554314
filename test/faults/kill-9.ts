import { parseArgs } from 'node:util'
import { runKills } from './run-kills.ts'

/** `node test/faults/kill-9.ts --kills 20 --seed 1`: exit code 1 when an acknowledged span is lost, stored twice or changed. */
const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } } })
const report = await runKills({ kills: Number(values.kills), seed: Number(values.seed), onKill: (what) => console.log(what) })
console.log(JSON.stringify({ seed: Number(values.seed), ...report }))
const { missing, twice, spurious, changed, accepted, acknowledged } = report
const kept = missing.length + twice.length + spurious.length + changed.length === 0 && accepted === acknowledged
console.log(
  kept
    ? `kept: ${acknowledged} spans acknowledged, each stored once`
    : 'BROKEN: an acknowledged span is lost, stored twice or changed',
)
process.exit(kept ? 0 : 1)
