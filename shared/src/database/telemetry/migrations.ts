import type { Migration } from '../migrate.ts'
import { changeMarkers } from './change-markers.ts'
import { endedTraces } from './ended-traces.ts'
import { fingerprintAliases } from './fingerprint-aliases.ts'
import { hourCounts } from './hour-counts.ts'
import { narrowDecisions } from './narrow-decisions.ts'
import { painRollups } from './pain-rollups.ts'
import { traceCounts } from './trace-counts.ts'
import { valueSketches } from './value-sketches.ts'

/**
 * telemetry.db: written by the collector alone, read by the analyzer.
 *
 * Times: `_ms` milliseconds since the epoch, `_minute` whole minutes since the epoch, `_nano` nanoseconds clamped below 2^63.
 * `trace_hash` and `span_id` (its 8 bytes, big-endian) are 64-bit integers (two's complement) and need safe integers when read.
 * Names (service, operation, release, session_id …) went through `toIndexText`: bounded, no NUL; look them up the same way.
 * `project_no` is the number of the project in control.db; it is never used again.
 */
const spine = `
-- What the collector must remember between starts: hash key, schema words. One row a name.
create table meta (name text primary key, value any) strict, without rowid;

-- One row per project, kind and commit (later: per merged range of commits). body = zstd of an ExportTraceServiceRequest.
create table segment (
  segment_id        integer primary key,
  project_no        integer not null,
  kind              text not null check (kind in ('span', 'log')),
  first_commit      integer not null,
  last_commit       integer not null,
  commits           blob not null,      -- see segment/header.ts: number, received_at, spans in the body (replacing ones too), time range of each commit
  records           integer not null,   -- records accepted for the first time; one that replaces an unended one counts where it came first
  received_min_ms   integer not null,
  received_max_ms   integer not null,
  event_min_ms      integer not null,
  event_max_ms      integer not null,
  trace_hashes      blob not null,      -- sorted little-endian unsigned 64-bit, each once; empty where a run of traces has them (trace-runs.ts)
  body              blob not null,
  body_bytes        integer not null    -- before compression
) strict;
create index segment_by_commit on segment (project_no, kind, first_commit);
create index segment_by_arrival on segment (project_no, received_max_ms);

-- Words met in telemetry, numbered once.
create table operation (operation_no integer primary key, project_no integer not null, service text not null, operation text not null,
  unique (project_no, service, operation)) strict;
create table release (release_no integer primary key, project_no integer not null, service text not null, release text not null,
  first_seen_ms integer not null, unique (project_no, service, release)) strict;

-- Runs: the denominator. One row per minute of arrival, minute of event, operation and release (0 = no release).
create table run_count (
  project_no integer not null, received_minute integer not null, event_minute integer not null, operation_no integer not null,
  release_no integer not null, runs integer not null, weight real not null, weight_squared real not null,
  primary key (project_no, received_minute, event_minute, operation_no, release_no)) strict, without rowid;

-- Traces that must be judged: they hold a failing, unended or agent-step span, or named a session. One narrow row a trace, no text.
-- Rows lie in order of arrival and have no index by trace: with one every commit rewrote as many pages as it had traces, ten
-- times the segment's bytes. The writer, which alone inserts, knows the row of each open trace; a search by trace scans the project's.
create table open_trace (
  project_no integer not null, trace_hash integer not null, trace_id blob not null, first_received_ms integer not null,
  last_received_ms integer not null, last_commit integer not null, failing integer not null, unended integer not null,
  agent_steps integer not null, decided_before integer not null) strict;
create index open_trace_by_arrival on open_trace (project_no, last_received_ms);

-- Distinct failures, numbered once. pain ids are made from fingerprint (analyzer).
create table fingerprint (
  fingerprint_no integer primary key, project_no integer not null, fingerprint blob not null, parent_key blob not null, scheme integer not null,
  signal text not null, service text not null, operation text not null, operation_no integer not null, error_type text, template text not null,
  sample_message text, steps text not null, first_seen_ms integer not null,
  unique (project_no, fingerprint)) strict;

-- One row per judged batch of traces.
create table decision (decision_no integer primary key, decided_ms integer not null, traces integer not null) strict;
create table decided_trace (
  project_no integer not null, trace_hash integer not null, trace_id blob not null, decision_no integer not null, decided_ms integer not null,
  primary key (project_no, trace_hash)) strict, without rowid;

-- Decided failures at their origin. Corrected when late spans change the judgement: rows replaced, counts signed.
create table failure (
  failure_no integer primary key, project_no integer not null, fingerprint_no integer not null, trace_hash integer not null,
  trace_id blob not null, span_id integer not null, session_no integer not null, release_no integer not null, event_ms integer not null,
  decided_ms integer not null, decision_no integer not null, weight real not null,
  services text not null, -- JSON list: services that the error passed through
  unique (project_no, trace_hash, span_id, fingerprint_no)) strict;
create index failure_by_fingerprint on failure (project_no, fingerprint_no, decided_ms);
create index failure_by_decision on failure (project_no, decided_ms);

create table failure_count (
  project_no integer not null, decided_minute integer not null, event_minute integer not null, fingerprint_no integer not null,
  release_no integer not null, failures integer not null, weight real not null, weight_squared real not null,
  primary key (project_no, decided_minute, event_minute, fingerprint_no, release_no)) strict, without rowid;

create table session (
  session_no integer primary key, project_no integer not null, session_id text not null, explicit integer not null, first_seen_ms integer not null,
  unique (project_no, session_id)) strict;
-- A session's part in one trace: written with zero totals when an explicit id is first seen, with totals at the decision.
create table session_trace (
  project_no integer not null, session_no integer not null, trace_hash integer not null, trace_id blob not null, received_ms integer not null,
  decided_ms integer, agent text, user text, spans integer not null, turns integer not null, tool_calls integer not null,
  input_tokens integer not null, output_tokens integer not null, cost_usd real, failures integer not null,
  start_ms integer not null, end_ms integer not null,
  primary key (project_no, session_no, trace_hash)) strict, without rowid;
create index session_trace_by_trace on session_trace (project_no, trace_hash);
create index session_trace_by_arrival on session_trace (project_no, received_ms);

-- Spans ever accepted: the quota's counter. Exact, in the commit's own transaction.
create table accepted (project_no integer primary key, spans integer not null) strict;
-- Counts by minute: accepted, deduplicated, replaced, conflict, redacted, capped, rejected:<reason>, refused:<code>, not_kept:<signal>.
create table ledger (project_no integer not null, minute integer not null, what text not null, count integer not null,
  primary key (project_no, minute, what)) strict, without rowid;
create table key_use (key_hash blob primary key, last_used_ms integer not null) strict, without rowid;
`

/**
 * Segments that retention took leave one row behind, of project 0, which no project has: it holds the highest id and commit ever
 * removed, so that neither is given again.
 */
const retention = `
-- How far the segments of a project and kind are joined: those that begin before next_commit stay as they are.
create table merged (project_no integer not null, kind text not null, next_commit integer not null,
  primary key (project_no, kind)) strict, without rowid;
`

const foldedSegments = `
-- How far a project's segments are folded into runs of traces: those that begin before next_commit need not be asked themselves.
create table folded (project_no integer not null, kind text not null, next_commit integer not null,
  primary key (project_no, kind)) strict, without rowid;
create index trace_run_unused on trace_run (state) where state <> 1;
`

export const telemetryMigrations: readonly Migration[] = [
  { name: 'spine', sql: spine },
  { name: 'retention', sql: retention },
  { name: 'narrow_decisions', sql: narrowDecisions },
  { name: 'folded_segments', sql: foldedSegments },
  { name: 'ended_traces', sql: endedTraces },
  { name: 'hour_counts', sql: hourCounts },
  { name: 'pain_rollups', sql: painRollups },
  { name: 'change_markers', sql: changeMarkers },
  { name: 'trace_counts', sql: traceCounts },
  { name: 'value_sketches', sql: valueSketches },
  { name: 'fingerprint_aliases', sql: fingerprintAliases },
]
