/**
 * How long runs take and what they cost, by operation and hour of event. A commit of spans and a decision leave what they add in one
 * row of `sketch_delta`; the background thread adds it to the hour and the day and removes that row in the same transaction, so each
 * goes in once, whatever ends the process. Who asks adds what still waits.
 */
export const valueSketches = `
create table sketch_delta (
  delta_no integer primary key, project_no integer not null, received_hour integer not null,
  deltas blob not null) strict;              -- see shared/src/rollup/sketch-delta.ts
create index sketch_delta_by_project on sketch_delta (project_no);
-- One row an operation and hour (60 minutes) or day (1440) of event.
create table sketch_rollup (
  project_no integer not null, measure integer not null, operation_no integer not null, minutes integer not null, bucket integer not null,
  last_received_hour integer not null, total integer not null,
  bins blob not null,                        -- see shared/src/rollup/sketch.ts
  exemplars blob not null,                   -- the largest; none of days
  primary key (project_no, measure, operation_no, minutes, bucket)) strict, without rowid;
create index sketch_rollup_by_arrival on sketch_rollup (project_no, minutes, last_received_hour);
-- The operation whose runs a session's part in a trace is one of; null where it holds no call of a model.
alter table session_trace add column operation_no integer;
`
