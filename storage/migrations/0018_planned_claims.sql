-- What policies ask once a statement is planned once a session: an SQL function that cannot be
-- inlined is parsed and planned at every call, which cost a request half a millisecond.
create or replace function app.scoped(permission text) returns boolean
language plpgsql stable set search_path = '' as $$
declare claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  return not coalesce(claims ? 'scopes', false)
      or (claims -> 'scopes') ?| array[$1, case $1 when 'write_own' then 'write' end];
end
$$;

create or replace function app.org() returns uuid
language plpgsql stable security definer set search_path = '' as $$
declare claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  return (select m.org_id from public.org_members m
           where m.user_id = (nullif(claims ->> 'sub', ''))::uuid
             and m.org_id = coalesce(nullif(claims ->> 'active_org', ''),
                                     claims #>> '{app_metadata,org_id}')::uuid);
end
$$;

create or replace function app.can(permission text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  if claims ? 'scopes' and not (claims -> 'scopes')
      ?| array[$1, case $1 when 'write_own' then 'write' end] then
    return false;
  end if;
  return exists (
    select from public.org_members m
      join public.role_permissions r on r.role = m.role and r.permission = $1
     where m.user_id = (nullif(claims ->> 'sub', ''))::uuid
       and m.org_id = coalesce(nullif(claims ->> 'active_org', ''),
                               claims #>> '{app_metadata,org_id}')::uuid);
end
$$;
