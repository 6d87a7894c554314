import { join } from 'node:path'
import { projectRoot } from './service-process.ts'

/** Public telemetry beside the checkout; not part of the project, and not everywhere. */
export const sharedData = join(projectRoot, '..', 'shared', 'data')
