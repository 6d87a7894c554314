import { contract } from '../../http/contract.ts'
import { errorKind } from '../../http/errors.ts'
import { membersSchema, mergedIntoSchema, mutedSchema, painNotFound } from './pains.contract.ts'

export const mergeIntoItself = errorKind({ code: 'merge_into_itself', status: 400, title: 'A pain cannot be merged into itself' })
export const mergeCycle = errorKind({ code: 'merge_cycle', status: 409, title: 'The other pain is merged into this one' })
export const mergesFull = errorKind({ code: 'too_many_merges', status: 409, title: 'The project has as many merges as it may' })
export const muteEnded = errorKind({ code: 'until_in_the_past', status: 400, title: 'The end of a mute must lie ahead' })

const text = { type: 'string' } as const
const id = { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 200 } } } as const

export const mergePain = contract({
  operation: 'mergePain',
  summary:
    'Show this pain, its history and whatever fails the same way from now on under another; `into: null` undoes it. Fingerprints never change',
  method: 'post',
  path: '/v1/pains/{id}/merge',
  auth: { scopes: ['runs:write'] },
  params: id,
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['into'],
    properties: {
      into: {
        type: ['string', 'null'],
        maxLength: 200,
        description: 'a pain of this project; where that one is merged itself, this one goes along. null: stand for itself again',
      },
    },
  },
  status: 200,
  response: {
    type: 'object',
    required: ['pain_id', 'merged_into', 'members'],
    properties: {
      pain_id: text,
      merged_into: mergedIntoSchema,
      members: { ...membersSchema, description: 'of the pain it is shown under now' },
    },
  },
  errors: [painNotFound, mergeIntoItself, mergeCycle, mergesFull],
})

const muteAnswer = {
  type: 'object',
  required: ['pain_id', 'merged_into', 'muted'],
  properties: { pain_id: text, merged_into: mergedIntoSchema, muted: mutedSchema },
} as const

export const mutePain = contract({
  operation: 'mutePain',
  summary:
    'Leave a pain out of packets, of what is new to observe and of open pains, until a time or until it is unmuted; lists still show it',
  method: 'post',
  path: '/v1/pains/{id}/mute',
  auth: { scopes: ['runs:write'] },
  params: id,
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['reason'],
    properties: {
      reason: { type: 'string', minLength: 1, maxLength: 500 },
      until: { type: ['string', 'null'], format: 'date-time', description: 'null or absent: until it is unmuted' },
    },
  },
  status: 200,
  response: muteAnswer,
  errors: [painNotFound, muteEnded],
})

export const unmutePain = contract({
  operation: 'unmutePain',
  summary: 'Hear of a pain again',
  method: 'post',
  path: '/v1/pains/{id}/unmute',
  auth: { scopes: ['runs:write'] },
  params: id,
  status: 200,
  response: muteAnswer,
  errors: [painNotFound],
})
