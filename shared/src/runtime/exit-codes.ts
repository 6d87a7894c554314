/** Exit codes that scripts may rely on, after sysexits.h. */
export const EXIT = {
  /** The installation failed, or something the product needs is missing. */
  unavailable: 69,
  /** A bug, or a state that only a restart mends (after a failed fsync, for one). */
  software: 70,
  /** A database file is damaged or cannot be opened; it is left as it is. */
  data: 74,
  /** The address is taken. */
  portTaken: 75,
  /** The data folder cannot be written. */
  folderNotWritable: 77,
  /** A setting is unknown, malformed or out of bounds. */
  config: 78,
  /** The file was written by a newer version: a start that can only fail until somebody changes something, as with a setting. */
  schemaNewer: 78,
} as const
