import type { SqliteDatabase } from '../open.ts'

/** Keys of a later scheme of failures that are known by the row of an earlier one, whose pain they keep. */
export const fingerprintAliases = `
create table fingerprint_alias (
  project_no integer not null, fingerprint blob not null, fingerprint_no integer not null,
  primary key (project_no, fingerprint)) strict, without rowid;
create index fingerprint_alias_by_no on fingerprint_alias (fingerprint_no);
`

/** What of a fingerprint decides the row that it is counted under. */
export interface SchemedKey {
  key: Uint8Array
  previousKey: Uint8Array | null
}

/**
 * The row of a failure under this scheme or an earlier one: by its key, by that as an alias, else by the key that the scheme before gave.
 * `isNew`: only the last one found it, so that its key is yet to be noted.
 */
export function createFindFingerprint(db: SqliteDatabase) {
  const own = db.prepare('select fingerprint_no from fingerprint where project_no = ? and fingerprint = ?').pluck()
  const alias = db.prepare('select fingerprint_no from fingerprint_alias where project_no = ? and fingerprint = ?').pluck()
  const find = (projectNo: number, key: Uint8Array) =>
    (own.get(projectNo, key) ?? alias.get(projectNo, key)) as number | undefined
  return (projectNo: number, { key, previousKey }: SchemedKey): { fingerprintNo: number; isNew: boolean } | null => {
    const known = find(projectNo, key)
    if (known !== undefined) return { fingerprintNo: known, isNew: false }
    const former = previousKey === null ? undefined : find(projectNo, previousKey)
    return former === undefined ? null : { fingerprintNo: former, isNew: true }
  }
}
