import { pick, type Random } from './random.ts'

/** What a visit has about it that has nothing to do with what it does: any of it can be what makes a fault strike. */
export interface Circumstances {
  /** Which of each service's two versions serves it. */
  release: 'old' | 'new'
  region: string
  client: string
  plan: string
}

/** The circumstances a fault needs; what is not named does not matter to it. */
export type Cause = Partial<Circumstances>

const VALUES: { readonly [Name in keyof Circumstances]: readonly Circumstances[Name][] } = {
  release: ['old', 'new'],
  region: ['eu-west-1', 'us-east-1', 'ap-south-1'],
  client: ['web', 'ios', 'android'],
  plan: ['free', 'pro', 'team'],
}

const NAMES = ['release', 'region', 'client', 'plan'] as const

/** Which two make a cause together. */
const PAIRS: readonly [keyof Circumstances, keyof Circumstances][] = [
  ['release', 'region'],
  ['region', 'client'],
  ['client', 'plan'],
]

/** Every cause that can be planted: one value of each name of a pair. */
export const CAUSES: readonly Cause[] = PAIRS.flatMap(([one, other]) =>
  VALUES[one].flatMap((first) => VALUES[other].map((second) => ({ [one]: first, [other]: second }))),
)

export const drawCircumstances = (random: Random): Circumstances => ({
  release: pick(random, VALUES.release),
  region: pick(random, VALUES.region),
  client: pick(random, VALUES.client),
  plan: pick(random, VALUES.plan),
})

export function isUnder(circumstances: Circumstances, cause: Cause): boolean {
  return NAMES.every((name) => cause[name] === undefined || cause[name] === circumstances[name])
}

/** Each service's versions, both in use at once, as in the middle of a roll-out. */
export const VERSIONS = {
  'shop-web': { old: '4.1.3', new: '4.2.0' },
  'shop-api': { old: '7.0.2', new: '7.0.3' },
  inventory: { old: '2.10.4', new: '2.11.0' },
  'support-agent': { old: '0.9.0', new: '0.9.1' },
} as const
export type Service = keyof typeof VERSIONS

const isService = (name: string): name is Service => name in VERSIONS

/** What a process says of itself: the attributes of its resource beside its name. */
export const resourceUnder = (service: Service, { release, region }: Deployment) => ({
  'service.version': VERSIONS[service][release],
  'cloud.region': region,
})

/** What an application puts on every span of a visit, as a baggage processor does. */
export const attributesUnder = ({ client, plan }: Pick<Circumstances, 'client' | 'plan'>) => ({
  'app.client': client,
  'app.plan': plan,
})

/** A cause in the words of the telemetry of one service. */
export function attributesOfCause(service: string, { release, region, client, plan }: Cause): Record<string, string> {
  if (!isService(service)) throw new Error(`no service ${service} in the demo`)
  return {
    ...(release && { 'service.version': VERSIONS[service][release] }),
    ...(region && { 'cloud.region': region }),
    ...(client && { 'app.client': client }),
    ...(plan && { 'app.plan': plan }),
  }
}

export type Deployment = Pick<Circumstances, 'release' | 'region'>

/** Every way in which one service is deployed. */
export const DEPLOYMENTS: readonly Deployment[] = VALUES.release.flatMap((release) =>
  VALUES.region.map((region) => ({ release, region })),
)
