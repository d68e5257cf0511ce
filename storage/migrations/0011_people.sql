-- People's profiles, organisations of their own, and clients.

-- Rows that only grow go away with the row that they belong to: that is a trigger's doing.
create or replace function app.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  if tg_op = 'DELETE' and pg_trigger_depth() > 1 then
    return old;
  end if;
  raise exception 'rows of % are never changed', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

-- Refuses to take an organisation its last owner. The lock makes owners who remove each other wait.
create function app.keep_an_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.role <> 'owner' or (tg_op = 'UPDATE' and new.role = 'owner' and new.org_id = old.org_id) then
    return case tg_op when 'DELETE' then old else new end;
  end if;
  perform from public.orgs o where o.id = old.org_id for update;
  -- Without the organisation it is the organisation that goes.
  if found and not exists (select from public.org_members m
                            where m.org_id = old.org_id and m.role = 'owner' and m.id <> old.id) then
    raise exception 'an organisation keeps at least one owner'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;

-- An organisation of the caller's own.
create function app.create_org(name text) returns public.orgs
language plpgsql security definer set search_path = '' as $$
declare made public.orgs;
begin
  if auth.uid() is null or not app.scoped('manage') then
    raise exception 'only a user makes an organisation' using errcode = 'insufficient_privilege';
  end if;
  if (select count(*) >= 100 from public.org_members m
       where m.user_id = auth.uid() and m.role = 'owner') then
    raise exception 'a user owns at most 100 organisations'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  insert into public.orgs (name) values ($1) returning * into made;
  insert into public.org_members (org_id, user_id, role) values (made.id, auth.uid(), 'owner');
  return made;
end
$$;

-- The organisations that the caller is a member of, as JSON.
create function app.my_organisations() returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'role', m.role,
                                               'active', o.id is not distinct from app.org())
                            order by o.name, o.id), '[]')
    from public.org_members m join public.orgs o on o.id = m.org_id
   where m.user_id = auth.uid() and app.scoped('read')
$$;
revoke all on function app.keep_an_owner(), app.create_org(text), app.my_organisations() from public;
grant execute on function app.create_org(text), app.my_organisations() to authenticated, service_role;

-- As declared in api/domains.
create table user_profiles (
  user_id uuid default auth.uid() not null,
  display_name text,
  job_title text,
  avatar_url text,
  locale text,
  time_zone text
);
create table user_preferences (
  id uuid default gen_random_uuid() not null,
  user_id uuid default auth.uid() not null,
  name text not null,
  value jsonb not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table clients (
  id uuid default gen_random_uuid() not null,
  org_id uuid default app.org() not null,
  name text not null,
  email text,
  company text,
  status text default 'lead' not null,
  settings jsonb default '{}' not null,
  notes text,
  onboarding text default 'none' not null,
  onboarding_error text,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table client_team_members (
  id uuid default gen_random_uuid() not null,
  org_id uuid default app.org() not null,
  client_id uuid not null,
  user_id uuid not null,
  role text default 'member' not null,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table client_metrics (
  id uuid default gen_random_uuid() not null,
  org_id uuid default app.org() not null,
  client_id uuid not null,
  name text not null,
  value numeric not null,
  measured_at timestamp with time zone default now() not null,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null
) partition by range (created_at);
create table client_metrics_default partition of client_metrics default;
alter table client_metrics_default enable row level security, force row level security;
select app.roll_months('client_metrics', 1100);
create table client_onboarding_tasks (
  id uuid default gen_random_uuid() not null,
  org_id uuid default app.org() not null,
  client_id uuid not null,
  title text not null,
  done boolean default false not null,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create trigger org_members_keep_an_owner before update or delete on org_members for each row execute function app.keep_an_owner();
alter table user_profiles add constraint user_profiles_display_name_max check (char_length(display_name) <= 200);
alter table user_profiles add constraint user_profiles_job_title_max check (char_length(job_title) <= 200);
alter table user_profiles add constraint user_profiles_avatar_url_max check (char_length(avatar_url) <= 2000);
alter table user_profiles add constraint user_profiles_locale_max check (char_length(locale) <= 35);
alter table user_profiles add constraint user_profiles_time_zone_max check (char_length(time_zone) <= 100);
alter table user_profiles add constraint user_profiles_pkey primary key (user_id);
alter table user_profiles enable row level security, force row level security;
create policy user_profiles_select on user_profiles for select to authenticated using (user_id = (select auth.uid()) and (select app.scoped('read')));
create policy user_profiles_insert on user_profiles for insert to authenticated with check (user_id = (select auth.uid()) and (select app.scoped('write_own')));
create policy user_profiles_update on user_profiles for update to authenticated using (user_id = (select auth.uid()) and (select app.scoped('write_own'))) with check (user_id = (select auth.uid()) and (select app.scoped('write_own')));
create policy user_profiles_delete on user_profiles for delete to authenticated using (user_id = (select auth.uid()) and (select app.scoped('write_own')));
create policy user_profiles_service on user_profiles for all to service_role using (true) with check (true);
grant select, insert, update, delete on user_profiles to service_role;
grant select, insert, update, delete on user_profiles to authenticated;
create trigger user_profiles_emit after insert or update or delete on user_profiles for each row execute function app.emit('user_profile', 'created');
alter table user_preferences add constraint user_preferences_name_max check (char_length(name) <= 100);
alter table user_preferences add constraint user_preferences_pkey primary key (user_id, id);
alter table user_preferences add constraint user_preferences_name_key unique (user_id, name);
create index user_preferences_user_id_created_at_id_idx on user_preferences (user_id, created_at, id);
alter table user_preferences enable row level security, force row level security;
create policy user_preferences_select on user_preferences for select to authenticated using (user_id = (select auth.uid()) and (select app.scoped('read')));
create policy user_preferences_insert on user_preferences for insert to authenticated with check (user_id = (select auth.uid()) and (select app.scoped('write_own')));
create policy user_preferences_update on user_preferences for update to authenticated using (user_id = (select auth.uid()) and (select app.scoped('write_own'))) with check (user_id = (select auth.uid()) and (select app.scoped('write_own')));
create policy user_preferences_delete on user_preferences for delete to authenticated using (user_id = (select auth.uid()) and (select app.scoped('write_own')));
create policy user_preferences_service on user_preferences for all to service_role using (true) with check (true);
grant select, insert, update, delete on user_preferences to service_role;
grant select, insert, update, delete on user_preferences to authenticated;
create trigger user_preferences_touch before update on user_preferences for each row execute function app.touch();
alter table clients add constraint clients_name_max check (char_length(name) <= 255);
alter table clients add constraint clients_email_max check (char_length(email) <= 320);
alter table clients add constraint clients_email_email check (email ~ '^[^@\s]+@[^@\s]+$');
alter table clients add constraint clients_company_max check (char_length(company) <= 255);
alter table clients add constraint clients_status_one_of check (status in ('lead', 'onboarding', 'active', 'paused', 'archived'));
alter table clients add constraint clients_notes_max check (char_length(notes) <= 10000);
alter table clients add constraint clients_onboarding_one_of check (onboarding in ('none', 'running', 'done', 'failed'));
alter table clients add constraint clients_settings_object check (jsonb_typeof(settings) = 'object');
alter table clients add constraint clients_pkey primary key (org_id, id);
create index clients_org_id_created_at_id_idx on clients (org_id, created_at, id);
create index clients_org_id_status_idx on clients (org_id, status);
alter table clients enable row level security, force row level security;
create policy clients_select on clients for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy clients_insert on clients for insert to authenticated with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy clients_update on clients for update to authenticated using (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own')))) with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy clients_delete on clients for delete to authenticated using (org_id = (select app.org()) and ((select app.can('delete')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy clients_service on clients for all to service_role using (true) with check (true);
grant select, insert, update, delete on clients to service_role;
grant select, insert, update, delete on clients to authenticated;
create trigger clients_touch before update on clients for each row execute function app.touch();
create trigger clients_emit after insert or update or delete on clients for each row execute function app.emit('client', 'created');
alter table client_team_members add constraint client_team_members_role_one_of check (role in ('lead', 'manager', 'member'));
alter table client_team_members add constraint client_team_members_pkey primary key (org_id, id);
alter table client_team_members add constraint client_team_members_client_id_user_id_key unique (org_id, client_id, user_id);
create index client_team_members_org_id_created_at_id_idx on client_team_members (org_id, created_at, id);
create index client_team_members_org_id_client_id_idx on client_team_members (org_id, client_id);
create index client_team_members_org_id_user_id_idx on client_team_members (org_id, user_id);
alter table client_team_members enable row level security, force row level security;
create policy client_team_members_select on client_team_members for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy client_team_members_insert on client_team_members for insert to authenticated with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_team_members_update on client_team_members for update to authenticated using (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own')))) with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_team_members_delete on client_team_members for delete to authenticated using (org_id = (select app.org()) and ((select app.can('delete')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_team_members_service on client_team_members for all to service_role using (true) with check (true);
grant select, insert, update, delete on client_team_members to service_role;
grant select, insert, update, delete on client_team_members to authenticated;
create trigger client_team_members_touch before update on client_team_members for each row execute function app.touch();
create trigger client_team_members_emit after insert or update or delete on client_team_members for each row execute function app.emit('client_team_member', 'created');
alter table client_metrics add constraint client_metrics_name_max check (char_length(name) <= 100);
alter table client_metrics add constraint client_metrics_pkey primary key (org_id, id, created_at);
create index client_metrics_org_id_created_at_id_idx on client_metrics (org_id, created_at, id);
create index client_metrics_org_id_client_id_idx on client_metrics (org_id, client_id);
create index client_metrics_org_id_client_id_name_measured_at_idx on client_metrics (org_id, client_id, name, measured_at);
alter table client_metrics enable row level security, force row level security;
create policy client_metrics_select on client_metrics for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy client_metrics_insert on client_metrics for insert to authenticated with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_metrics_service on client_metrics for all to service_role using (true) with check (true);
grant select, insert on client_metrics to service_role;
grant select, insert on client_metrics to authenticated;
create trigger client_metrics_immutable before update or delete on client_metrics for each row execute function app.refuse_change();
alter table client_onboarding_tasks add constraint client_onboarding_tasks_title_max check (char_length(title) <= 300);
alter table client_onboarding_tasks add constraint client_onboarding_tasks_pkey primary key (org_id, id);
create index client_onboarding_tasks_org_id_created_at_id_idx on client_onboarding_tasks (org_id, created_at, id);
create index client_onboarding_tasks_org_id_client_id_idx on client_onboarding_tasks (org_id, client_id);
alter table client_onboarding_tasks enable row level security, force row level security;
create policy client_onboarding_tasks_select on client_onboarding_tasks for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy client_onboarding_tasks_insert on client_onboarding_tasks for insert to authenticated with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_onboarding_tasks_update on client_onboarding_tasks for update to authenticated using (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own')))) with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_onboarding_tasks_delete on client_onboarding_tasks for delete to authenticated using (org_id = (select app.org()) and ((select app.can('delete')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy client_onboarding_tasks_service on client_onboarding_tasks for all to service_role using (true) with check (true);
grant select, insert, update, delete on client_onboarding_tasks to service_role;
grant select, insert, update, delete on client_onboarding_tasks to authenticated;
create trigger client_onboarding_tasks_touch before update on client_onboarding_tasks for each row execute function app.touch();
alter table clients add constraint clients_org_id_fkey foreign key (org_id) references orgs (id) on delete cascade;
alter table client_team_members add constraint client_team_members_client_id_fkey foreign key (org_id, client_id) references clients (org_id, id) on delete cascade;
alter table client_team_members add constraint client_team_members_org_id_user_id_fkey foreign key (org_id, user_id) references org_members (org_id, user_id) on delete cascade;
alter table client_metrics add constraint client_metrics_client_id_fkey foreign key (org_id, client_id) references clients (org_id, id) on delete cascade;
alter table client_metrics add constraint client_metrics_org_id_fkey foreign key (org_id) references orgs (id) on delete cascade;
alter table client_onboarding_tasks add constraint client_onboarding_tasks_client_id_fkey foreign key (org_id, client_id) references clients (org_id, id) on delete cascade;
alter table client_onboarding_tasks add constraint client_onboarding_tasks_org_id_fkey foreign key (org_id) references orgs (id) on delete cascade;
