-- Who asks: requests work as anon, authenticated or service_role, with their claims in the setting
-- request.jwt.claims, as behind PostgREST. On a Supabase database the functions of auth are there.
create schema if not exists auth;
create schema if not exists app;
grant usage on schema public, auth, app to anon, authenticated, service_role;

-- The claims of the caller, an empty object when there are none. After a transaction that set them
-- PostgreSQL leaves '' behind, not null.
create function app.claims() returns jsonb
language sql stable set search_path = pg_catalog as $$
  select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
$$;

do $$ begin
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb
    language sql stable set search_path = pg_catalog as 'select app.claims()';
  end if;
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid
    language sql stable set search_path = pg_catalog
    as $f$ select nullif(app.claims() ->> 'sub', '')::uuid $f$;
  end if;
  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text
    language sql stable set search_path = pg_catalog
    as $f$ select coalesce(app.claims() ->> 'role', 'anon') $f$;
  end if;
  if to_regprocedure('auth.email()') is null then
    create function auth.email() returns text
    language sql stable set search_path = pg_catalog
    as $f$ select app.claims() ->> 'email' $f$;
  end if;
end $$;

-- Triggers of declared tables.
create function app.touch() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  new.updated_at = clock_timestamp();
  return new;
end
$$;
create function app.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'rows of % are never changed', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

grant select, insert, update on meetings, participants, tracks, speakers, voices to service_role;
grant select, insert, update on utterances to service_role;
grant select, insert on words to service_role;
