import Database from 'better-sqlite3'

/** Loaded before a service: its SQLite says that it is of a version with the WAL-reset bug. */
const { prepare } = Database.prototype
Database.prototype.prepare = function (this: Database.Database, sql: string) {
  return prepare.call(this, sql === 'select sqlite_version()' ? "select '3.51.2'" : sql)
} as typeof prepare
