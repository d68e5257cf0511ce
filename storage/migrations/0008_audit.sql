-- Who did what: one chain of hashes for each organisation, so that a row that was edited or removed
-- shows. What belongs to no organisation is in the chain of the zero UUID.
create table audit_log (
  org_id uuid not null,
  seq bigint not null check (seq >= 1),
  created_at timestamptz not null,
  actor uuid,
  action text not null check (length(action) between 1 and 200),
  subject text not null check (length(subject) <= 400),
  detail jsonb not null,
  prev bytea not null,
  hash bytea not null,
  primary key (org_id, seq)
);
-- The end of each chain; its row's lock is the chain's.
create table audit_heads (
  org_id uuid primary key,
  seq bigint not null,
  hash bytea not null
);
-- Signed statements about chains, as they also stand in a file outside the database.
create table audit_checkpoints (
  org_id uuid not null,
  seq bigint not null,
  line text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (org_id, seq)
);

do $$
declare relation text;
begin
  foreach relation in array array['audit_log', 'audit_heads', 'audit_checkpoints'] loop
    execute format('alter table %I enable row level security', relation);
    execute format('alter table %I force row level security', relation);
    execute format('create policy service on %I to service_role using (true) with check (true)',
                   relation);
    execute format('create policy owner on %I to current_user using (true) with check (true)',
                   relation);
    execute format('grant select on %I to service_role', relation);
  end loop;
end $$;
grant insert on audit_checkpoints to service_role;
create policy managers on audit_log for select to authenticated
  using (org_id = (select app.org()) and (select app.can('manage')));
grant select on audit_log to authenticated;
create trigger append_only before update or delete on audit_log
  for each row execute function app.refuse_change();
create trigger append_only_all before truncate on audit_log
  for each statement execute function app.refuse_change();
create trigger append_only before update or delete on audit_checkpoints
  for each row execute function app.refuse_change();

-- Appends to the chain of an organisation. Callers speak for themselves and their organisation; the
-- server may name another actor.
create function app.audit(
  org uuid, action text, subject text, detail jsonb default '{}', actor uuid default null)
returns void
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  server boolean := auth.role() = 'service_role';
  chain uuid := coalesce($1, '00000000-0000-0000-0000-000000000000');
  who uuid := case when server then $5 else auth.uid() end;
  moment timestamptz := clock_timestamp();
  head record;
  made bytea;
begin
  if not server and chain is distinct from app.org() then
    raise exception 'not the caller''s organisation' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_heads values (chain, 0, decode(repeat('00', 32), 'hex'))
  on conflict do nothing;
  select seq, hash into head from public.audit_heads where org_id = chain for update;
  made := sha256(head.hash || convert_to(jsonb_build_array(
    chain, head.seq + 1, (extract(epoch from moment) * 1000000)::bigint, who, $2, $3, $4)::text,
    'UTF8'));
  insert into public.audit_log values
    (chain, head.seq + 1, moment, who, $2, $3, $4, head.hash, made);
  update public.audit_heads set seq = head.seq + 1, hash = made where org_id = chain;
end
$$;
revoke execute on function app.audit from public;
grant execute on function app.audit to authenticated, service_role;
