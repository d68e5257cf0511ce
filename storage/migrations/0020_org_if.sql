-- One question for the organisation and the permission: whoever may not is in no organisation.
-- Asked apart they cost two look-ups of the member and one more condition a row.
create function app.org_if(permission text) returns uuid
language plpgsql stable security definer set search_path = '' as $$
declare claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  return (select m.org_id from public.org_members m
            join public.role_permissions r on r.role = m.role and r.permission = $1
           where m.user_id = (nullif(claims ->> 'sub', ''))::uuid
             and m.org_id = coalesce(nullif(claims ->> 'active_org', ''),
                                     claims #>> '{app_metadata,org_id}')::uuid
             and (not claims ? 'scopes' or (claims -> 'scopes')
                  ?| array[$1, case $1 when 'write_own' then 'write' end]));
end
$$;
revoke all on function app.org_if(text) from public;
grant execute on function app.org_if(text) to authenticated, service_role;

create or replace function app.can(permission text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return app.org_if($1) is not null;
end
$$;

alter policy managers on audit_log using (org_id = (select app.org_if('manage')));
alter policy client_metrics_select on client_metrics using (org_id = (select app.org_if('read')));
alter policy client_onboarding_tasks_select on client_onboarding_tasks using (org_id = (select app.org_if('read')));
alter policy client_team_members_select on client_team_members using (org_id = (select app.org_if('read')));
alter policy clients_select on clients using (org_id = (select app.org_if('read')));
alter policy enrolled_voices_select on enrolled_voices using (org_id = (select app.org_if('read')));
alter policy managers_delete on file_buckets using (org_id = (select app.org_if('manage')));
alter policy managers_insert on file_buckets with check (org_id = (select app.org_if('manage')));
alter policy managers_update on file_buckets using (org_id = (select app.org_if('manage'))) with check (org_id = (select app.org_if('manage')));
alter policy members_select on file_buckets using (org_id = (select app.org_if('read')));
alter policy members_select on files using (org_id = (select app.org_if('read')));
alter policy meeting_action_items_select on meeting_action_items using (org_id = (select app.org_if('read')));
alter policy meeting_insights_select on meeting_insights using (org_id = (select app.org_if('read')));
alter policy meetings_select on meetings using (org_id = (select app.org_if('read')));
alter policy org_members_select on org_members using (org_id = (select app.org_if('read')));
alter policy org_members_insert on org_members with check (org_id = (select app.org_if('manage_users')) and (role <> 'owner' or (select app.can('manage_owners'))));
alter policy org_members_update on org_members using (org_id = (select app.org_if('manage_users')) and (role <> 'owner' or (select app.can('manage_owners')))) with check (org_id = (select app.org_if('manage_users')) and (role <> 'owner' or (select app.can('manage_owners'))));
alter policy org_members_delete on org_members using (org_id = (select app.org_if('manage_users')) and (role <> 'owner' or (select app.can('manage_owners'))));
alter policy orgs_update on orgs using (id = (select app.org_if('manage'))) with check (id = (select app.org_if('manage')));
alter policy participants_select on participants using (org_id = (select app.org_if('read')));
alter policy speakers_select on speakers using (org_id = (select app.org_if('read')));
alter policy tracks_select on tracks using (org_id = (select app.org_if('read')));
alter policy utterances_select on utterances using (org_id = (select app.org_if('read')));
alter policy voices_select on voices using (org_id = (select app.org_if('read')));
alter policy words_select on words using (org_id = (select app.org_if('read')));
