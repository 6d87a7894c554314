/**
 * What a decision leaves behind, in the order in which it was written: rows that had an index by trace hash cost a page each
 * for a trace, 27 kB of log, and 440 B of a file of which a failing trace's spans take 530.
 *
 * A decision is of one project; its failures are the rows from `first_failure_no` to `last_failure_no` (none where the last is
 * below the first), and `decided_ms` never falls from one decision to the next. So neither project nor time need stand in them.
 */
const tables = `
alter table decision rename to decision_before;
alter table failure rename to failure_before;
alter table decided_trace rename to decided_trace_before;

create table decision (
  decision_no integer primary key, project_no integer not null, decided_ms integer not null, traces integer not null,
  first_failure_no integer not null, last_failure_no integer not null) strict;
create index decision_by_project on decision (project_no, decided_ms);
-- Which traces it judged, until they are folded into a run: sorted big-endian unsigned 64-bit, each once.
create table unfolded_decision (project_no integer not null, decision_no integer not null, trace_hashes blob not null,
  primary key (project_no, decision_no)) strict, without rowid;

-- Lists of services that errors passed through, each once; a project's first 20,000.
create table service_list (service_list_no integer primary key, project_no integer not null, services text not null,
  unique (project_no, services)) strict;

create table decided_failure (
  failure_no integer primary key, fingerprint_no integer not null, trace_hash integer not null, trace_id blob not null,
  span_id integer not null,
  session_no integer not null,  -- 0: the trace stands for itself
  release_no integer not null, event_ms integer not null,
  waited_ms integer not null,   -- from the trace's last arrival to the decision
  weight real not null,
  service_list_no integer not null,
  services text                 -- the JSON list itself, where it has no number (0)
) strict;
create index decided_failure_by_fingerprint on decided_failure (fingerprint_no);

-- Failures as questions ask for them.
create view failure as
  select f.failure_no, d.project_no, f.fingerprint_no, f.trace_hash, f.trace_id, f.span_id, f.session_no, f.release_no, f.event_ms,
    d.decided_ms, d.decision_no, d.decided_ms - f.waited_ms as received_ms, f.weight,
    coalesce((select s.session_id from session s where s.session_no = f.session_no), lower(hex(f.trace_id))) as session_id,
    coalesce(f.services, (select l.services from service_list l where l.service_list_no = f.service_list_no)) as services
  from decision d join decided_failure f on f.failure_no between d.first_failure_no and d.last_failure_no;

-- Where traces are, for look-ups by hash: sorted entries in pages that each hold an equal share of all hashes, folded from
-- neighbours again and again, so that there are few runs to ask. See trace-runs.ts.
create table trace_run (
  run_id integer primary key, project_no integer not null, kind text not null check (kind in ('span', 'log', 'decision')),
  state integer not null,     -- 0 being written, 1 in use, 2 to be removed
  members blob not null,      -- little-endian doubles: numbers of the commits (of segments) or decisions that the entries name
  last_no integer not null,   -- the largest of them
  first_page integer not null, pages integer not null) strict;
create index trace_run_by_project on trace_run (project_no, kind, state, last_no);
create table trace_page (page_no integer primary key, entries blob not null) strict;
`

/** Decisions of several projects become one for each, numbered anew in the same order. */
const rows = `
create table decision_move as
  select row_number() over (order by decision_no, project_no) as moved_no, decision_no, project_no, max(decided_ms) as decided_ms
  from (select decision_no, project_no, decided_ms from failure_before
        union all select decision_no, project_no, decided_ms from decided_trace_before)
  group by decision_no, project_no;
create table failure_move as
  select row_number() over (order by m.moved_no, f.failure_no) as moved_no, f.failure_no, m.moved_no as decision_no
  from failure_before f join decision_move m on m.decision_no = f.decision_no and m.project_no = f.project_no;
insert into service_list (project_no, services) select distinct project_no, services from failure_before;
insert into decided_failure
  select m.moved_no, f.fingerprint_no, f.trace_hash, f.trace_id, f.span_id,
    coalesce((select s.session_no from session s where s.session_no = f.session_no and s.explicit = 1), 0), f.release_no, f.event_ms,
    coalesce(f.decided_ms - (select max(received_ms) from session_trace t indexed by session_trace_by_trace
                             where t.project_no = f.project_no and t.trace_hash = f.trace_hash), 0),
    f.weight, (select service_list_no from service_list l where l.project_no = f.project_no and l.services = f.services), null
  from failure_move m join failure_before f using (failure_no) order by m.moved_no;
create index failure_move_by_decision on failure_move (decision_no, moved_no);
create index decided_trace_move on decided_trace_before (decision_no, project_no);
insert into decision
  select m.moved_no, m.project_no, m.decided_ms,
    (select count(*) from decided_trace_before t where t.decision_no = m.decision_no and t.project_no = m.project_no),
    coalesce((select max(moved_no) from failure_move where decision_no < m.moved_no), 0) + 1,
    coalesce((select max(moved_no) from failure_move where decision_no <= m.moved_no), 0)
  from decision_move m order by m.moved_no;
insert into unfolded_decision
  select m.project_no, m.moved_no,
    (select unhex(coalesce(group_concat(hash, ''), '')) from
      (select printf('%016x', trace_hash) as hash from decided_trace_before t
       where t.decision_no = m.decision_no and t.project_no = m.project_no order by 1))
  from decision_move m order by m.moved_no;
drop table failure_move; drop table decision_move;
drop table failure_before; drop table decision_before; drop table decided_trace_before;
`

export const narrowDecisions = tables + rows
