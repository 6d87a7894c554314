/**
 * What a diagnosis adds up, in rows of an hour (60 minutes) and a day (1440): it costs what there are distinct failures, not what
 * there are spans. Made in the background from rows that are there anyway, so the rows say as much as the marks in `rolled_up`:
 * `decisions` of project 0 for pain_rollup (the last decision that is in), `runs` and `failures` of each project for count_rollup (the
 * first minute that is not in); who asks adds what came after. Of a large decision or minute a part may be in: `decisions.part` is the last
 * such failure, for minutes see minute-part.ts. `mended` of a project is how often one of its hours was made anew.
 */
export const painRollups = `
-- The failures of one fingerprint that were decided in a bucket and not taken back. Sketches and sets: see shared/src/rollup.
create table pain_rollup (
  project_no integer not null, minutes integer not null, bucket integer not null, fingerprint_no integer not null,
  failures integer not null, ended integer not null, first_event_ms integer not null, last_event_ms integer not null,
  first_no integer not null, last_no integer not null,  -- numbers of these failures
  traces blob not null, sessions blob,                  -- distinct counts; null: as many sessions as traces
  users blob, releases blob not null, service_lists blob not null, -- numbers, each once
  samples blob not null,                                -- see shared/src/rollup/samples.ts
  primary key (project_no, minutes, bucket, fingerprint_no)) strict, without rowid;
-- Runs of an operation by arrival, failures of a fingerprint by decision, corrections included; bars: see minute-histogram.ts.
create table count_rollup (
  project_no integer not null, counts text not null check (counts in ('runs', 'failures')), minutes integer not null,
  bucket integer not null, what_no integer not null, total integer not null, bars blob not null,
  primary key (project_no, counts, minutes, bucket, what_no)) strict, without rowid;
create table rolled_up (project_no integer not null, mark text not null, up_to integer not null, primary key (project_no, mark)) strict, without rowid;
-- Hours of decisions in which a failure was taken back: to be made anew.
create table stale_rollup (project_no integer not null, fingerprint_no integer not null, hour integer not null,
  primary key (project_no, fingerprint_no, hour)) strict, without rowid;
`
