-- What happened, in order, written by the transaction that made it happen.
create table events (
  pos bigint generated always as identity primary key,
  -- Readers take what lies below every running transaction, in the order (tx, pos): then nobody
  -- commits behind them.
  tx xid8 not null default pg_current_xact_id(),
  id uuid not null unique default gen_random_uuid(),
  org_id uuid,
  stream text not null check (length(stream) between 1 and 200),
  version bigint not null check (version >= 1),
  type text not null check (type ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$'),
  type_version integer not null default 1 check (type_version >= 1),
  data jsonb not null,
  actor uuid default auth.uid(),
  traceparent text default nullif(current_setting('request.traceparent', true), ''),
  causation uuid default nullif(current_setting('app.causation', true), '')::uuid,
  correlation uuid default nullif(current_setting('app.correlation', true), '')::uuid,
  created_at timestamptz not null default clock_timestamp(),
  unique (stream, version)
);
create index on events (tx, pos);
create index on events (org_id, pos);

-- How far each reader is.
create table event_checkpoints (
  reader text primary key,
  tx xid8 not null default '0',
  pos bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp()
);

alter table events enable row level security;
alter table events force row level security;
alter table event_checkpoints enable row level security;
alter table event_checkpoints force row level security;
create policy service on events to service_role using (true) with check (true);
create policy service on event_checkpoints to service_role using (true) with check (true);
-- The functions below are their owner's, and write for whoever changes a row.
create policy owner on events to current_user using (true) with check (true);
grant select on events to service_role;
grant select, insert, update, delete on event_checkpoints to service_role;

create trigger append_only before update or delete on events
  for each row execute function app.refuse_change();
create trigger append_only_all before truncate on events
  for each statement execute function app.refuse_change();

-- Appends to a stream; `expected` is the version that the stream has now (0: none yet), null takes
-- any. Returns the event's version. A stream that moved on is a unique violation.
create function app.append_event(
  stream text, type text, data jsonb, expected bigint default null, org uuid default null,
  type_version integer default 1) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare last bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended($1, 7479646));
  select coalesce(max(version), 0) into last from public.events where stream = $1;
  if $4 is not null and $4 <> last then
    raise exception 'stream % has version %, not %', $1, last, $4 using errcode = 'unique_violation';
  end if;
  insert into public.events (org_id, stream, version, type, type_version, data)
  values ($5, $1, last + 1, $2, $6, $3);
  return last + 1;
end
$$;
revoke execute on function app.append_event from public;
grant execute on function app.append_event to service_role;

-- Trigger after insert, update or delete for each row: app.emit(NOUN [, WORD [, COLUMN ...]]) appends
-- NOUN.created (or NOUN.WORD), NOUN.updated or NOUN.deleted to the stream NOUN:ID, with the row
-- without the COLUMNs. An update that changes nothing else than updated_at or them is none. The lock
-- on the row that changes keeps its stream in order.
create function app.emit() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
  noun text := tg_argv[0];
  hidden text[] := coalesce(tg_argv[2:], '{}');
  body jsonb := to_jsonb(case tg_op when 'DELETE' then old else new end) - hidden;
  key text := coalesce(body ->> 'id', concat_ws(':', body ->> 'org_id', body ->> 'user_id'));
  word text := case tg_op when 'INSERT' then coalesce(tg_argv[1], 'created')
                          when 'UPDATE' then 'updated' else 'deleted' end;
begin
  if tg_op = 'UPDATE' and body - 'updated_at' = to_jsonb(old) - hidden - 'updated_at' then
    return null;
  end if;
  insert into public.events (org_id, stream, version, type, data)
  select coalesce(body ->> 'org_id', case noun when 'org' then key end)::uuid,
         noun || ':' || key,
         1 + coalesce((select max(e.version) from public.events e where e.stream = noun || ':' || key),
                      0),
         noun || '.' || word, body;
  return null;
end
$$;
