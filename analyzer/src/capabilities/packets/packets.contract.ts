import { packetSchema } from '../../domain/packet/packet-schema.ts'
import { contract } from '../../http/contract.ts'
import { errorKind } from '../../http/errors.ts'

export const packetNotFound = errorKind({ code: 'packet_not_found', status: 404, title: 'No packet has this id' })

export const getPacket = contract({
  operation: 'getPacket',
  summary: 'Read a packet again, byte for byte',
  method: 'get',
  path: '/v1/packets/{id}',
  auth: { scopes: ['telemetry:read'] },
  params: { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 200 } } },
  status: 200,
  response: packetSchema,
  errors: [packetNotFound],
})
