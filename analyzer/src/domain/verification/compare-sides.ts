import { type Compared, type Control, chooseControl, compareBy } from './control.ts'
import { strongestShift } from './rate-shift.ts'
import { type MinuteCount, type Traffic, toTraffic } from './traffic.ts'

/** Failures over runs on one side of a change. Sampled spans count as what they stand for. */
export interface Side extends Traffic {
  /** Event minutes of the first and the last run; null without runs. */
  fromMinute: number | null
  toMinute: number | null
}

/** Both sides, minute by minute in order of time. */
export interface SideMinutes {
  before: readonly MinuteCount[]
  after: readonly MinuteCount[]
}

/** What both sides of a change are, and what of them is compared. */
export interface ComparedSides {
  before: Side
  after: Side
  /** What is compared where all of before would mislead, with the records as they came; null where it would not. */
  control: { kind: ControlKind; before: Side; compared: Compared } | null
  /** As it is compared, with every failure that differs only in words or stack; null where no single pain was asked for. */
  parent: Compared | null
  rise: Rise | null
}

/** What was after the change until its rate rose, and since; or all that was, and what the version before does since it is back. */
export interface Rise {
  held: Side
  since: Side
  /** What that version did until it was replaced; null where the change itself failed more. */
  replaced: Side | null
}

/** A version is gone while it has at most this share of the runs of the one that replaced it. */
const GONE_MAX_SHARE = 0.1

/** By what a part of before was chosen, or both sides weighed. */
export type ControlKind = Control['kind'] | 'same_operations'

/** Both sides as they came, and as they weigh where several operations ran; the same with every failure of the parent key. */
export interface SidesGiven {
  own: SideMinutes
  /** Of the operations that ran on both sides. */
  weighed: { own: SideMinutes; parent: SideMinutes | null; before: readonly MinuteCount[] } | null
  parent: SideMinutes | null
}

export function compareSides({ own, weighed, parent }: SidesGiven): ComparedSides {
  const judged = weighed?.own ?? own
  const judgedParent = weighed ? weighed.parent : parent
  const control = chooseControl(judged.before, judged.after)
  const compare = (minutes: SideMinutes) => (control ? compareBy(control, minutes) : toCompared(minutes))
  return {
    before: toSide(own.before),
    after: toSide(own.after),
    control:
      control || weighed
        ? {
            kind: control?.kind ?? 'same_operations',
            before: toSide((weighed?.before ?? own.before).filter(isWithin(control))),
            compared: compare(judged),
          }
        : null,
    parent: judgedParent && compare(judgedParent),
    // Of two versions side by side a rise is told by their comparison: both may share it.
    rise: control?.kind === 'same_time' ? null : (riseWithin(judged.after) ?? returnAfter(judged)),
  }
}

function riseWithin(after: readonly MinuteCount[]): Rise | null {
  const shift = strongestShift(after)
  if (!shift?.isRise) return null
  const part = (isPart: (minute: number) => boolean) => toSide(after.filter(({ minute }) => isPart(minute)))
  return { held: part((minute) => minute < shift.minute), since: part((minute) => minute >= shift.minute), replaced: null }
}

/** A rollback: the version before ran, was gone, and runs again since the last run of the new one. */
function returnAfter({ before, after }: SideMinutes): Rise | null {
  const held = toSide(after)
  const [first, last] = [held.fromMinute, held.toMinute]
  if (first === null || last === null) return null
  const part = (isPart: (minute: number) => boolean) => toSide(before.filter(({ minute }) => isPart(minute)))
  const replaced = part((minute) => minute < first)
  const beside = part((minute) => minute >= first && minute <= last)
  const since = part((minute) => minute > last)
  return since.runs > 0 && beside.runs <= GONE_MAX_SHARE * held.runs ? { held, since, replaced } : null
}

const toCompared = ({ before, after }: SideMinutes): Compared => ({ before: toTraffic(before), after: toTraffic(after) })

function isWithin(control: Control | null): (count: MinuteCount) => boolean {
  if (control === null) return () => true
  const [fromMinute, toMinute] =
    control.kind === 'same_time' ? [control.bounds[0]!, control.bounds.at(-1)!] : [control.fromMinute, control.toMinute]
  return ({ minute }) => minute >= fromMinute && minute < toMinute
}

function toSide(minutes: readonly MinuteCount[]): Side {
  const ran = minutes.filter(({ runs }) => runs > 0)
  return { ...toTraffic(minutes), fromMinute: ran[0]?.minute ?? null, toMinute: ran.at(-1)?.minute ?? null }
}
