/**
 * Runs and failures by hour of the event, for what is told by season and trend: minutes of weeks would be too many to read at each
 * question. Folded from the minutes in the background; rows of minutes from `next_minute` of arrival (of decision) on are not in yet,
 * so who asks adds them.
 */
export const hourCounts = `
create table run_hour (project_no integer not null, event_hour integer not null, operation_no integer not null, runs integer not null,
  primary key (project_no, event_hour, operation_no)) strict, without rowid;
create table failure_hour (project_no integer not null, event_hour integer not null, fingerprint_no integer not null, failures integer not null,
  primary key (project_no, event_hour, fingerprint_no)) strict, without rowid;
create table hour_folded (project_no integer not null, counts text not null check (counts in ('runs', 'failures')), next_minute integer not null,
  primary key (project_no, counts)) strict, without rowid;
`
