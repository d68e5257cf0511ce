-- Work that is done later: at once, at a time, or by the clock. A finished job is no row any more.
create table jobs (
  id bigint generated always as identity primary key,
  kind text not null check (kind ~ '^[a-z][a-z0-9_.]{0,99}$'),
  org_id uuid,
  payload jsonb not null default '{}' check (octet_length(payload::text) <= 65536),
  priority smallint not null default 0 check (priority between -100 and 100),
  state text not null default 'pending'
    check (state in ('pending', 'scheduled', 'processing', 'dead_letter', 'cancelled')),
  run_at timestamptz not null default clock_timestamp(),
  attempt integer not null default 0,
  attempts_max integer not null default 10 check (attempts_max >= 1),
  lease_until timestamptz,
  dedupe text check (length(dedupe) between 1 and 200),
  last_error text,
  actor uuid default auth.uid(),
  traceparent text default nullif(current_setting('request.traceparent', true), ''),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create index jobs_pending on jobs (priority desc, run_at, id) where state = 'pending';
create index jobs_scheduled on jobs (run_at) where state = 'scheduled';
create index jobs_processing on jobs (lease_until) where state = 'processing';
create index jobs_ended on jobs (updated_at) where state in ('dead_letter', 'cancelled');
create unique index jobs_dedupe on jobs (kind, org_id, dedupe) nulls not distinct
  where dedupe is not null and state in ('pending', 'scheduled', 'processing');

-- What the clock starts; the row's lock makes every tick happen once among several servers.
create table job_schedules (
  name text primary key,
  kind text not null,
  cron text not null,
  payload jsonb not null default '{}',
  next_at timestamptz not null,
  updated_at timestamptz not null default clock_timestamp()
);

-- One row: whether so much waits that nothing more is taken. Set by whoever counts.
create table job_gate (
  id boolean primary key default true check (id),
  closed boolean not null default false
);
insert into job_gate default values;

do $$
declare relation text;
begin
  foreach relation in array array['jobs', 'job_schedules', 'job_gate'] loop
    execute format('alter table %I enable row level security', relation);
    execute format('alter table %I force row level security', relation);
    execute format('create policy service on %I to service_role using (true) with check (true)',
                   relation);
  end loop;
end $$;
create policy owner on jobs to current_user using (true) with check (true);
create policy owner on job_gate for select to current_user using (true);
grant select, insert, update, delete on jobs, job_schedules to service_role;
grant select, update on job_gate to service_role;

-- Puts a job into the queue in the caller's transaction, whoever the caller is, and returns its id.
-- While a job of this kind, organisation and dedupe key waits or runs, that one's id.
create function app.enqueue(
  kind text, payload jsonb default '{}', org uuid default null, priority integer default 0,
  run_at timestamptz default null, dedupe text default null, attempts_max integer default 10)
returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare found_id bigint;
begin
  if (select closed from public.job_gate) then
    raise exception 'too many jobs are waiting; retry later' using errcode = 'insufficient_resources';
  end if;
  for round in 1..10 loop
    insert into public.jobs (kind, org_id, payload, priority, state, run_at, dedupe, attempts_max)
    values ($1, $3, $2, $4, case when $5 > clock_timestamp() then 'scheduled' else 'pending' end,
            coalesce($5, clock_timestamp()), $6, $7)
    on conflict (kind, org_id, dedupe)
      where dedupe is not null and state in ('pending', 'scheduled', 'processing') do nothing
    returning id into found_id;
    if found_id is not null then return found_id; end if;
    select id into found_id from public.jobs
    where kind = $1 and org_id is not distinct from $3 and dedupe = $6
      and state in ('pending', 'scheduled', 'processing');
    if found_id is not null then return found_id; end if;
  end loop;
  raise exception 'a job with the same key is ending; retry' using errcode = 'serialization_failure';
end
$$;
revoke execute on function app.enqueue from public;
grant execute on function app.enqueue to authenticated, service_role;
