-- Voices that people lent to their organisation, as declared in api/domains/voices.cpp.
create table enrolled_voices (
  id uuid default gen_random_uuid() not null,
  org_id uuid default coalesce(app.org(), app.default_org()) not null,
  name text not null,
  model text not null,
  centroid bytea not null,
  weight real not null,
  source text not null,
  consent_by text not null,
  consent_text text not null,
  consent_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone default now() + interval '1 year' not null,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
alter table enrolled_voices add constraint enrolled_voices_name_max check (char_length(name) <= 100);
alter table enrolled_voices add constraint enrolled_voices_model_max check (char_length(model) <= 100);
alter table enrolled_voices add constraint enrolled_voices_source_one_of check (source in ('meeting', 'clip'));
alter table enrolled_voices add constraint enrolled_voices_consent_by_max check (char_length(consent_by) <= 200);
alter table enrolled_voices add constraint enrolled_voices_consent_text_max check (char_length(consent_text) <= 200);
alter table enrolled_voices add constraint enrolled_voices_in_time check (expires_at > consent_at and expires_at <= created_at + interval '5 years' and consent_at <= created_at + interval '1 minute');
alter table enrolled_voices add constraint enrolled_voices_pkey primary key (org_id, id);
create index enrolled_voices_org_id_created_at_id_idx on enrolled_voices (org_id, created_at, id);
create index enrolled_voices_org_id_model_idx on enrolled_voices (org_id, model);
alter table enrolled_voices enable row level security, force row level security;
create policy enrolled_voices_select on enrolled_voices for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy enrolled_voices_insert on enrolled_voices for insert to authenticated with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy enrolled_voices_update on enrolled_voices for update to authenticated using (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own')))) with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy enrolled_voices_delete on enrolled_voices for delete to authenticated using (org_id = (select app.org()) and ((select app.can('delete')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy enrolled_voices_service on enrolled_voices for all to service_role using (true) with check (true);
grant select, insert, update, delete on enrolled_voices to service_role;
grant select, insert, update, delete on enrolled_voices to authenticated;
create trigger enrolled_voices_touch before update on enrolled_voices for each row execute function app.touch();
alter table enrolled_voices add constraint enrolled_voices_org_id_fkey foreign key (org_id) references orgs (id) on delete cascade;
