-- Work in steps that cannot be one transaction: what was done is undone in reverse when a later step
-- cannot be done.
create table sagas (
  id uuid primary key default gen_random_uuid(),
  kind text not null check (kind ~ '^[a-z][a-z0-9_.]{0,99}$'),
  org_id uuid,
  state text not null default 'running'
    check (state in ('running', 'compensating', 'done', 'undone', 'stuck')),
  step integer not null default 0,
  data jsonb not null default '{}' check (octet_length(data::text) <= 65536),
  error text,
  actor uuid default auth.uid(),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index on sagas (org_id, created_at);
alter table sagas enable row level security;
alter table sagas force row level security;
create policy service on sagas to service_role using (true) with check (true);
create policy owner on sagas to current_user using (true) with check (true);
grant select, insert, update, delete on sagas to service_role;
create trigger sagas_emit after insert or update on sagas
  for each row execute function app.emit('saga', 'started', 'data', 'updated_at');

-- Begins a saga in the caller's transaction, whoever the caller is, and returns its id.
create function app.start_saga(kind text, data jsonb, org uuid default null) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare saga uuid;
begin
  insert into public.sagas (kind, data, org_id) values ($1, $2, $3) returning id into saga;
  perform app.enqueue('saga.step', jsonb_build_object('saga', saga), $3, attempts_max => 100);
  return saga;
end
$$;
revoke execute on function app.start_saga from public;
grant execute on function app.start_saga to authenticated, service_role;
