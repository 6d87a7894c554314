/** Models, prompts and tool schemas of agents, each with its first run: the second one of a subject is a change. */
export const changeMarkers = `
create table change_marker (
  project_no integer not null, kind text not null check (kind in ('model', 'prompt', 'tool_schema')), service text not null,
  subject text not null, value text not null, first_event_ms integer not null, first_decided_ms integer not null,
  primary key (project_no, kind, service, subject, value)) strict, without rowid;
`

/** Values of one subject that are kept. One that reaches it varies from run to run and tells of no change. */
export const MARKER_VALUES_MAX = 20
/** Rows of one project. */
export const MARKERS_PER_PROJECT_MAX = 3_000
