-- Which of the caller's organisations the next tokens work in.
create policy owner on users to current_user using (true) with check (true);

-- Null unless the caller is a member there.
create function app.switch_org(org uuid) returns jsonb
language sql security definer set search_path = '' as $$
  update public.users u
     set app_metadata = u.app_metadata || jsonb_build_object('org_id', $1)
   where u.id = auth.uid() and app.scoped('read')
     and exists (select from public.org_members m where m.org_id = $1 and m.user_id = u.id)
  returning jsonb_build_object('org_id', $1)
$$;
revoke all on function app.switch_org(uuid) from public;
grant execute on function app.switch_org(uuid) to authenticated, service_role;
