import type { Migration } from '../migrate.ts'

/**
 * control.db: written by the analyzer alone, read by the collector (which reads `project` and `api_key` on every request).
 * Times are milliseconds since the epoch. Secrets are stored as SHA-256 only.
 */
const spine = `
create table project (
  project_no      integer primary key autoincrement, -- never used again: telemetry.db names projects by it
  project_id      text not null unique,
  tenant_id       text not null,
  project_name    text not null,
  operator        text not null,                     -- '' where none was given; with project_name unique among provisioned ones
  sandbox         integer not null,
  quota_spans     integer,                           -- null: no cap
  expires_at_ms   integer,
  retention_days  integer,
  recovery_epoch  integer not null default 0,
  created_at_ms   integer not null,
  deleted_at_ms   integer
) strict;
create unique index project_by_name on project (operator, project_name) where sandbox = 0 and deleted_at_ms is null;

create table api_key (
  key_id          text primary key,
  project_no      integer not null references project,
  key_hash        blob not null unique,              -- SHA-256 of the whole key
  prefix          text not null,
  last_four       text not null,
  kind            text not null check (kind in ('producer', 'agent', 'dashboard')),
  scopes          text not null,                     -- space separated
  created_at_ms   integer not null,
  expires_at_ms   integer,
  revoked_at_ms   integer,
  last_used_at_ms integer                            -- of calls to the analyzer; a producer key's is telemetry.db's key_use
) strict;
create index api_key_by_project on api_key (project_no);

-- One row per state-changing or refused request; each carries the hash of the one before it.
create table audit (
  seq integer primary key, at_ms integer not null, request_id text not null, project_no integer, key_id text, agent_id text, method text not null,
  route text not null, status integer not null, address text not null, body_digest text, body text, code text, count integer not null default 1,
  previous_hash blob not null, hash blob not null
) strict;
create index audit_by_time on audit (at_ms);

create table packet (
  packet_id text primary key, project_no integer not null, created_at_ms integer not null, since_minutes integer not null,
  from_minute integer not null, to_minute integer not null, status text not null, telemetry_read integer not null, failures integer not null,
  body text not null                                 -- the packet's JSON, byte for byte as first answered
) strict;
create index packet_by_project on packet (project_no, created_at_ms);

create table pain (
  pain_id text primary key, project_no integer not null, fingerprint blob not null, title text not null, signal_type text not null,
  service text not null, operation text not null, first_seen_ms integer not null, last_seen_ms integer not null
) strict;
create index pain_by_project on pain (project_no, last_seen_ms);
create unique index pain_by_fingerprint on pain (project_no, fingerprint);

create table change (
  change_id text primary key, project_no integer not null, kind text not null, service text, version text, ref text, shipped_at_ms integer not null,
  created_at_ms integer not null, source text not null check (source in ('announced', 'telemetry')), pain_ids text not null
) strict;
create index change_by_project on change (project_no, shipped_at_ms);
create unique index change_by_version on change (project_no, service, version) where source = 'telemetry';

create table verdict (
  verdict_no integer primary key, project_no integer not null, change_id text not null, pain_id text not null, at_ms integer not null,
  verdict text not null, reason text, body text not null
) strict;
create index verdict_by_pain on verdict (project_no, pain_id, at_ms);
`

const observations = `
-- What an agent claimed to look at: pains that failed in decisions up to to_decision, since the observation before. One is open at a time.
create table observation (
  observation_no integer primary key, observation_id text not null unique, project_no integer not null, created_at_ms integer not null,
  to_decision integer not null, pains text not null, -- JSON list
  closed_at_ms integer
) strict;
create index observation_by_project on observation (project_no, observation_no);
create unique index observation_open on observation (project_no) where closed_at_ms is null;

create table pain_decision (
  observation_no integer not null references observation on delete cascade, pain_id text not null, project_no integer not null,
  next text not null check (next in ('patch', 'observe', 'skip')), note text, at_ms integer not null,
  primary key (observation_no, pain_id)
) strict, without rowid;
create index pain_decision_by_project on pain_decision (project_no, at_ms);
`

const grouping = `
-- A pain that is shown under another, as it was asked for; chains are resolved at reading. Fingerprints and counts never change.
create table pain_merge (
  pain_id text primary key, project_no integer not null, into_pain_id text not null, merged_at_ms integer not null, key_id text
) strict;
create index pain_merge_by_project on pain_merge (project_no);

create table pain_mute (
  pain_id text primary key, project_no integer not null, reason text not null,
  until_ms integer,                                  -- null: until it is unmuted
  muted_at_ms integer not null, key_id text
) strict;
create index pain_mute_by_project on pain_mute (project_no);

-- How a project groups failures beyond the scheme. Read by the collector too: the first rule by rule_no that matches counts.
create table fingerprint_rule (
  rule_no integer primary key autoincrement, rule_id text not null unique, project_no integer not null, name text,
  pain_id text,                                      -- the rule splits this pain; null: it matches by what failures are
  matches text not null,                             -- JSON, see signals/fingerprint-rules.ts
  grouped_by text not null,                          -- JSON list of fields and attributes
  created_at_ms integer not null, key_id text
) strict;
create index fingerprint_rule_by_project on fingerprint_rule (project_no, rule_no);
`

const plans = `
-- How a change will be judged for one pain ('' for a whole service), as it was settled when the change was recorded.
create table verify_plan (
  change_id text not null, pain_id text not null, project_no integer not null, frozen_at_ms integer not null,
  plan_digest text not null, body text not null,       -- JSON, see capabilities/changes/plan.ts
  next_look_ms integer,                                -- null: it is looked at no more
  primary key (change_id, pain_id)
) strict, without rowid;
create index verify_plan_by_look on verify_plan (next_look_ms) where next_look_ms is not null;
create index verify_plan_by_time on verify_plan (frozen_at_ms);
create index verdict_by_time on verdict (at_ms);
`

const packetBodies = `
-- zstd of the packet's JSON; body is empty then. Packets are kept as long as their evidence, which was too much as text.
alter table packet add column zipped blob;
`

export const controlMigrations: readonly Migration[] = [
  { name: 'spine', sql: spine },
  { name: 'observations', sql: observations },
  { name: 'grouping', sql: grouping },
  { name: 'plans', sql: plans },
  { name: 'packet_bodies', sql: packetBodies },
]
