import { zstdDecompressSync } from 'node:zlib'
import { compressOnce } from '@loopkit/shared/segment/zstd-context'
import type { Insertable, Selectable } from 'kysely'
import type { Control } from '../../control/control-database.ts'
import type { PacketTable } from '../../control/tables.ts'

/** A packet as it is to be kept. */
export interface NewPacket {
  packetId: string
  projectNo: number
  createdAtMs: number
  sinceMinutes: number
  fromMinute: number
  toMinute: number
  status: string
  telemetryRead: number
  failures: number
  body: string
}

export interface PacketRun {
  packetId: string
  status: string
  createdAtMs: number
  sinceMinutes: number
  telemetryRead: number
  failures: number
}

/** Fewer are not worth the pruning, and more than an agent makes that asks every minute of two months are no memory any more. */
const PACKETS_KEPT = { least: 2000, most: 90_000 }
const MINUTES_A_DAY = 1440
/** Old packets deleted with one new one. */
const PACKETS_PRUNED_AT_ONCE = 100

/** Packets kept per project, the newest: as many as an agent makes that asks every minute for as long as evidence is kept. */
function keptOf(retentionDays: number): number {
  return Math.min(PACKETS_KEPT.most, Math.max(PACKETS_KEPT.least, (retentionDays + 1) * MINUTES_A_DAY))
}

/** A packet repeats itself: a tenth is left at this level, in a millisecond. */
const ZSTD_LEVEL = 3

function bodyOf({ body, zipped }: Pick<Selectable<PacketTable>, 'body' | 'zipped'>): string {
  return zipped === null ? body : zstdDecompressSync(zipped).toString('utf8')
}

function toRow(packet: NewPacket): Insertable<PacketTable> {
  return {
    packet_id: packet.packetId,
    project_no: packet.projectNo,
    created_at_ms: packet.createdAtMs,
    since_minutes: packet.sinceMinutes,
    from_minute: packet.fromMinute,
    to_minute: packet.toMinute,
    status: packet.status,
    telemetry_read: packet.telemetryRead,
    failures: packet.failures,
    body: '',
    zipped: compressOnce(Buffer.from(packet.body), ZSTD_LEVEL),
  }
}

/** The packets table; nothing else writes it. */
export function createPacketQueries({ db, first, transaction }: Control, { retentionDays }: { retentionDays: number }) {
  const keptMax = keptOf(retentionDays)
  return {
    /** Keeps the packet unless it is there, and answers the bytes that are kept. */
    store: (packet: NewPacket): string =>
      transaction((queries) => {
        const inserted = queries.run(
          db
            .insertInto('packet')
            .values(toRow(packet))
            .onConflict((conflict) => conflict.doNothing()),
        )
        if (Number(inserted) === 0) {
          const kept = queries.first(db.selectFrom('packet').select(['body', 'zipped']).where('packet_id', '=', packet.packetId))
          return kept === undefined ? packet.body : bodyOf(kept)
        }
        const old = db
          .selectFrom('packet')
          .select('packet_id')
          .where('project_no', '=', packet.projectNo)
          .orderBy('created_at_ms', 'desc')
          .limit(PACKETS_PRUNED_AT_ONCE)
          .offset(keptMax)
        queries.run(db.deleteFrom('packet').where('packet_id', 'in', old))
        return packet.body
      }),

    find: (projectNo: number, packetId: string): string | null => {
      const ofProject = db.selectFrom('packet').select(['body', 'zipped']).where('project_no', '=', projectNo)
      const row = first(ofProject.where('packet_id', '=', packetId))
      return row === undefined ? null : bodyOf(row)
    },

    last: (projectNo: number): PacketRun | null => {
      const row = first(
        db
          .selectFrom('packet')
          .select(['packet_id', 'status', 'created_at_ms', 'since_minutes', 'telemetry_read', 'failures'])
          .where('project_no', '=', projectNo)
          .orderBy('created_at_ms', 'desc')
          .orderBy('packet_id')
          .limit(1),
      )
      if (!row) return null
      return {
        packetId: row.packet_id,
        status: row.status,
        createdAtMs: row.created_at_ms,
        sinceMinutes: row.since_minutes,
        telemetryRead: row.telemetry_read,
        failures: row.failures,
      }
    },
  }
}
