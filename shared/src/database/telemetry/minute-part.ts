import type { SqliteDatabase } from '../open.ts'

/**
 * A minute may hold rows of thousands of operations: its rows are added up some at a time, in the order of their event minute and number.
 * Up to this row the minute that comes next is in already.
 */
export interface MinutePart {
  eventMinute: number
  whatNo: number
}

/** Marks of their own, so that whoever knows the first one only still reads the table. */
const partMarks = (mark: string) => [`${mark}.event_minute`, `${mark}.what_no`] as const

/** null: the next minute is not begun. */
export function readMinutePart(db: Pick<SqliteDatabase, 'prepare'>, projectNo: number, mark: string): MinutePart | null {
  const find = db.prepare('select up_to from rolled_up where project_no = ? and mark = ?').pluck()
  const [eventMinute, whatNo] = partMarks(mark).map((part) => find.get(projectNo, part) as number | undefined)
  return eventMinute === undefined || whatNo === undefined ? null : { eventMinute, whatNo }
}

/** Inside the transaction that adds the rows. */
export function createWriteMinutePart(db: Pick<SqliteDatabase, 'prepare'>) {
  const put = db.prepare('insert or replace into rolled_up values (?, ?, ?)')
  const remove = db.prepare('delete from rolled_up where project_no = ? and mark = ?')
  return (projectNo: number, mark: string, part: MinutePart | null): void => {
    const [event, what] = partMarks(mark)
    if (part === null) for (const one of [event, what]) remove.run(projectNo, one)
    else {
      put.run(projectNo, event, part.eventMinute)
      put.run(projectNo, what, part.whatNo)
    }
  }
}

/** Comes before every row. */
export const BEFORE_ALL: MinutePart = { eventMinute: Number.MIN_SAFE_INTEGER, whatNo: -1 }
