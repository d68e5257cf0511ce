-- Organisations: who is in them, what a role may do, and which one a request works in.
set local check_function_bodies = off;  -- The functions and the tables need each other.

-- A key's scopes narrow what its user may do; who comes without scopes has all of them.
create function app.scoped(permission text) returns boolean
language sql stable set search_path = '' as $$
  select not (app.claims() ? 'scopes')
      or (app.claims() -> 'scopes') ?| array[permission,
                                            case permission when 'write_own' then 'write' end]
$$;

-- The organisations of the caller.
create function app.orgs() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.org_id), '{}') from public.org_members m where m.user_id = auth.uid()
$$;

-- The organisation that the caller works in, null unless the caller is a member of it.
create function app.org() returns uuid
language sql stable security definer set search_path = '' as $$
  select m.org_id from public.org_members m
   where m.user_id = auth.uid()
     and m.org_id = coalesce(nullif(app.claims() ->> 'active_org', ''),
                             app.claims() #>> '{app_metadata,org_id}')::uuid
$$;

-- Whether the caller's role there, and the key's scopes, allow it.
create function app.can(permission text) returns boolean
language sql stable security definer set search_path = '' as $$
  select app.scoped(permission) and exists (
    select from public.org_members m
      join public.role_permissions r on r.role = m.role and r.permission = can.permission
     where m.org_id = app.org() and m.user_id = auth.uid())
$$;

-- Whose everything is that is older than organisations.
create function app.default_org() returns uuid
language sql immutable set search_path = '' as $$
  select '00000000-0000-4000-8000-000000000001'::uuid
$$;

revoke all on function app.scoped(text), app.orgs(), app.org(), app.can(text), app.default_org()
  from public;
grant execute on function app.scoped(text), app.orgs(), app.org(), app.can(text), app.default_org()
  to authenticated, service_role;

-- Makes the months of a table that is partitioned by created_at, one back and three ahead, and drops
-- those whose last row is older than keep_days. Returns how many were dropped.
create function app.roll_months(parent regclass, keep_days integer, at timestamptz default now())
returns integer
language plpgsql security definer set search_path = '' set timezone = 'UTC' as $$
declare
  month timestamptz;
  part record;
  dropped integer := 0;
begin
  for month in select generate_series(date_trunc('month', at, 'UTC') - interval '1 month',
                                      date_trunc('month', at, 'UTC') + interval '3 months',
                                      interval '1 month') loop
    if to_regclass(parent || to_char(month at time zone 'UTC', '"_"YYYYMM')) is not null then
      continue;
    end if;
    execute format('create table %s partition of %s for values from (%L) to (%L)',
                   parent || to_char(month at time zone 'UTC', '"_"YYYYMM'), parent,
                   month, month + interval '1 month');
    execute format('alter table %s enable row level security, force row level security',
                   parent || to_char(month at time zone 'UTC', '"_"YYYYMM'));
  end loop;
  for part in select i.inhrelid::regclass as name,
                     to_date(right(i.inhrelid::regclass::text, 6), 'YYYYMM') as month
                from pg_catalog.pg_inherits i
               where i.inhparent = parent
                 and i.inhrelid::regclass::text ~ '_[0-9]{6}$' loop
    if (part.month + interval '1 month') at time zone 'UTC' + make_interval(days => keep_days) < at
    then
      execute format('drop table %s', part.name);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end
$$;
revoke all on function app.roll_months(regclass, integer, timestamptz) from public;
grant execute on function app.roll_months(regclass, integer, timestamptz) to service_role;

-- As declared in api/domains/orgs.cpp.
create table orgs (
  id uuid default gen_random_uuid() not null,
  name text not null,
  settings jsonb default '{}' not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table org_members (
  id uuid default gen_random_uuid() not null,
  org_id uuid default app.org() not null,
  user_id uuid not null,
  role text default 'user' not null,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table role_permissions (
  role text not null,
  permission text not null
);
alter table orgs add constraint orgs_name_max check (char_length(name) <= 200);
alter table orgs add constraint orgs_pkey primary key (id);
create index orgs_created_at_id_idx on orgs (created_at, id);
alter table orgs enable row level security, force row level security;
create policy orgs_select on orgs for select to authenticated using (id = any ((select app.orgs())::uuid[]) and (select app.scoped('read')));
create policy orgs_update on orgs for update to authenticated using (id = (select app.org()) and (select app.can('manage'))) with check (id = (select app.org()) and (select app.can('manage')));
create policy orgs_service on orgs for all to service_role using (true) with check (true);
create policy orgs_owner on orgs for all to current_user using (true) with check (true);
grant select, insert, update, delete on orgs to service_role;
grant select, update on orgs to authenticated;
create trigger orgs_touch before update on orgs for each row execute function app.touch();
create trigger orgs_emit after insert or update or delete on orgs for each row execute function app.emit('org', 'created');
alter table org_members add constraint org_members_role_one_of check (role in ('owner', 'admin', 'user', 'viewer'));
alter table org_members add constraint org_members_pkey primary key (org_id, id);
alter table org_members add constraint org_members_user_id_key unique (org_id, user_id);
create index org_members_org_id_created_at_id_idx on org_members (org_id, created_at, id);
create index org_members_user_id_idx on org_members (user_id);
alter table org_members enable row level security, force row level security;
create policy org_members_select on org_members for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy org_members_insert on org_members for insert to authenticated with check (org_id = (select app.org()) and (select app.can('manage_users')) and (role <> 'owner' or (select app.can('manage_owners'))));
create policy org_members_update on org_members for update to authenticated using (org_id = (select app.org()) and (select app.can('manage_users')) and (role <> 'owner' or (select app.can('manage_owners')))) with check (org_id = (select app.org()) and (select app.can('manage_users')) and (role <> 'owner' or (select app.can('manage_owners'))));
create policy org_members_delete on org_members for delete to authenticated using (org_id = (select app.org()) and (select app.can('manage_users')) and (role <> 'owner' or (select app.can('manage_owners'))));
create policy org_members_service on org_members for all to service_role using (true) with check (true);
create policy org_members_owner on org_members for all to current_user using (true) with check (true);
grant select, insert, update, delete on org_members to service_role;
grant select, insert, update, delete on org_members to authenticated;
create trigger org_members_touch before update on org_members for each row execute function app.touch();
create trigger org_members_emit after insert or update or delete on org_members for each row execute function app.emit('org_member', 'created');
alter table role_permissions add constraint role_permissions_pkey primary key (role, permission);
alter table role_permissions enable row level security, force row level security;
create policy role_permissions_service on role_permissions for all to service_role using (true) with check (true);
create policy role_permissions_owner on role_permissions for all to current_user using (true) with check (true);
grant select, insert, update, delete on role_permissions to service_role;
alter table org_members add constraint org_members_org_id_fkey foreign key (org_id) references orgs (id) on delete cascade;

insert into role_permissions (role, permission) values
  ('owner', 'read'), ('owner', 'write'), ('owner', 'write_own'), ('owner', 'delete'),
  ('owner', 'manage'), ('owner', 'manage_users'), ('owner', 'manage_owners'),
  ('admin', 'read'), ('admin', 'write'), ('admin', 'write_own'), ('admin', 'delete'),
  ('admin', 'manage'), ('admin', 'manage_users'),
  ('user', 'read'), ('user', 'write_own'),
  ('viewer', 'read');
insert into orgs (id, name) values (app.default_org(), 'Default');
