/** Any of these with a text makes a log record one that carries an exception. */
export const EXCEPTION_KEYS = ['exception.type', 'exception.message', 'exception.stacktrace'] as const

/** The name of the event that an exception is, and where senders of before 2025 put the name. */
export const EXCEPTION_EVENT = 'exception'
export const EVENT_NAME_KEY = 'event.name'

/**
 * The attribute that the door adds to a log record that is kept, so that a record is found by its id without reading it: the
 * 8 bytes that stand for its span id. Where the record names no trace there are 16 bytes, which stand for its trace id
 * (see `loneTraceId`) and end with those 8. Of several the last counts, which is ours.
 */
export const LOG_RECORD_ID_KEY = 'loopkit.log_record_id'
