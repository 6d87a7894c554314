/** A failure says whether its error reached the root of its trace; of those that were decided before, nobody knows. */
export const endedTraces = `
alter table decided_failure add column ended_trace integer not null default 0;
drop view failure;
create view failure as
  select f.failure_no, d.project_no, f.fingerprint_no, f.trace_hash, f.trace_id, f.span_id, f.session_no, f.release_no, f.event_ms,
    d.decided_ms, d.decision_no, d.decided_ms - f.waited_ms as received_ms, f.weight,
    coalesce((select s.session_id from session s where s.session_no = f.session_no), lower(hex(f.trace_id))) as session_id,
    coalesce(f.services, (select l.services from service_list l where l.service_list_no = f.service_list_no)) as services,
    f.ended_trace
  from decision d join decided_failure f on f.failure_no between d.first_failure_no and d.last_failure_no;
`
