import type { Insertable } from 'kysely'
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

/** Packets kept per project, the newest: an agent that asks every minute writes half a million a year. */
const PACKETS_KEPT_MAX = 2000
/** Old packets deleted with one new one. */
const PACKETS_PRUNED_AT_ONCE = 100

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
    body: packet.body,
  }
}

/** The packets table; nothing else writes it. */
export function createPacketQueries({ db, first, transaction }: Control) {
  return {
    /** Keeps the packet unless it is there, and answers the bytes that are kept. */
    store: (packet: NewPacket): string =>
      transaction((queries) => {
        queries.run(
          db
            .insertInto('packet')
            .values(toRow(packet))
            .onConflict((conflict) => conflict.doNothing()),
        )
        const old = db
          .selectFrom('packet')
          .select('packet_id')
          .where('project_no', '=', packet.projectNo)
          .orderBy('created_at_ms', 'desc')
          .orderBy('packet_id')
          .limit(PACKETS_PRUNED_AT_ONCE)
          .offset(PACKETS_KEPT_MAX)
        queries.run(db.deleteFrom('packet').where('packet_id', 'in', old))
        const kept = queries.first(db.selectFrom('packet').select('body').where('packet_id', '=', packet.packetId))
        return kept?.body ?? packet.body
      }),

    find: (projectNo: number, packetId: string): string | null =>
      first(db.selectFrom('packet').select('body').where('packet_id', '=', packetId).where('project_no', '=', projectNo))?.body ??
      null,

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
