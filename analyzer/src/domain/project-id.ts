/** Longest slug in a project id, in characters; the name itself may have 100. */
const SLUG_MAX_CHARACTERS = 40

/** A project's id: the slug of its name, a dash and eight hex digits, e.g. `my-app-1a2b3c4d`. */
export function formatProjectId(projectName: string, bytes: Uint8Array): string {
  return `${slugOf(projectName)}-${Buffer.from(bytes.subarray(0, 4)).toString('hex')}`
}

/** Lower-case letters and digits with single dashes; accents fall off; a name without any of these is `project`. */
export function slugOf(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}+/gu, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const slug = words.join('-').slice(0, SLUG_MAX_CHARACTERS).replace(/-+$/, '')
  return slug === '' ? 'project' : slug
}
