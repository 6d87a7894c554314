import type { Control } from '../../control/control-database.ts'
import { type Route, route } from '../../http/contract.ts'
import { fail } from '../../http/errors.ts'
import { rawJson } from '../../http/reply.ts'
import { getPacket, packetNotFound } from './packets.contract.ts'
import { createPacketQueries, type NewPacket, type PacketRun } from './packets.queries.ts'

export type { NewPacket, PacketRun }

/** Packets are kept as they were first answered, byte for byte. */
export interface PacketsCapability {
  routes: Route[]
  /** Keeps the packet unless the same is there already; answers the bytes that are kept. */
  storePacket(packet: NewPacket): string
  findPacket(projectNo: number, packetId: string): string | null
  lastPacket(projectNo: number): PacketRun | null
}

export function createPacketsCapability({
  control,
  retentionDays,
}: {
  control: Control
  retentionDays: number
}): PacketsCapability {
  const { store, find, last } = createPacketQueries(control, { retentionDays })
  return {
    storePacket: store,
    findPacket: find,
    lastPacket: last,
    routes: [
      route(getPacket, ({ params, caller }) => {
        const body = find(caller.projectNo, params.id)
        return rawJson(body ?? fail(packetNotFound, 'this project has no packet with this id'))
      }),
    ],
  }
}
