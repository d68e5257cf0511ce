-- Who may come in, and what proves it. Nobody but the server reads these tables; secrets are kept
-- as digests, or sealed by the identity key, which is not in the database.
create table users (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (email = lower(email) and length(email) between 3 and 320),
  password_hash text,
  email_confirmed_at timestamptz,
  new_email text check (new_email = lower(new_email) and length(new_email) between 3 and 320),
  last_sign_in_at timestamptz,
  banned_until timestamptz,
  app_metadata jsonb not null default '{"provider": "email", "providers": ["email"]}'
    check (jsonb_typeof(app_metadata) = 'object' and length(app_metadata::text) <= 1000),
  user_metadata jsonb not null default '{}'
    check (jsonb_typeof(user_metadata) = 'object' and length(user_metadata::text) <= 3000),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create trigger touch before update on users for each row execute function app.touch();
create trigger emit after insert or update or delete on users
  for each row execute function app.emit('user', 'registered', 'password_hash', 'last_sign_in_at');

-- One login; its refresh tokens are one family. A revoked row stays until no access token of it is
-- alive, so that a server that starts again still refuses those.
create table sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users on delete cascade,
  aal text not null default 'aal1' check (aal in ('aal1', 'aal2')),
  amr jsonb not null check (jsonb_typeof(amr) = 'array'),
  user_agent text not null default '',
  address text not null default '',
  created_at timestamptz not null,
  refreshed_at timestamptz not null,
  revoked_at timestamptz
);
create index on sessions (user_id);
create index on sessions (revoked_at) where revoked_at is not null;

create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  parent_hash bytea,
  created_at timestamptz not null,
  used_at timestamptz
);
create index on refresh_tokens (session_id);

create table mfa_factors (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users on delete cascade,
  friendly_name text not null check (length(friendly_name) <= 100),
  factor_type text not null check (factor_type in ('totp', 'recovery_code')),
  status text not null default 'unverified' check (status in ('unverified', 'verified')),
  secret bytea,
  last_step bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create unique index on mfa_factors (user_id, friendly_name);
create unique index on mfa_factors (user_id) where factor_type = 'recovery_code';
create trigger touch before update on mfa_factors for each row execute function app.touch();

create table mfa_challenges (
  id uuid primary key default gen_random_uuid(),
  factor_id uuid not null references mfa_factors on delete cascade,
  expires_at timestamptz not null
);
create index on mfa_challenges (factor_id);

create table recovery_codes (
  factor_id uuid not null references mfa_factors on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (factor_id, code_hash)
);

-- What a mail carries: a link's token, and the six digits for who types them. The newest of a
-- purpose replaces the one before.
create table one_time_tokens (
  user_id uuid not null references users on delete cascade,
  purpose text not null
    check (purpose in ('signup', 'invite', 'magiclink', 'recovery', 'email_change', 'pkce')),
  token_hash bytea not null unique,
  code_hash bytea not null,
  code_challenge text,
  expires_at timestamptz not null,
  primary key (user_id, purpose)
);

create table api_keys (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users on delete cascade,
  org_id uuid,
  name text not null check (length(name) between 1 and 100),
  prefix text not null,
  key_hash bytea not null unique,
  scopes text[] not null check (cardinality(scopes) <= 20),
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default clock_timestamp()
);
create index on api_keys (user_id);

create table signing_keys (
  kid text primary key,
  private_key bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz
);

-- How often something secret was tried, by a digest of what was tried.
create table auth_attempts (
  key bytea primary key,
  count integer not null,
  since timestamptz not null
);
create index on auth_attempts (since);

do $$ declare name text; begin
  foreach name in array '{users,sessions,refresh_tokens,mfa_factors,mfa_challenges,recovery_codes,
                          one_time_tokens,api_keys,signing_keys,auth_attempts}'::text[] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy service on %I to service_role using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on %I to service_role', name);
  end loop;
end $$;

-- A user as the clients of Supabase Auth read one.
create function app.user_json(account public.users) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'id', $1.id, 'aud', 'authenticated', 'role', 'authenticated', 'email', $1.email, 'phone', '',
    'email_confirmed_at', $1.email_confirmed_at, 'confirmed_at', $1.email_confirmed_at,
    'last_sign_in_at', $1.last_sign_in_at, 'new_email', $1.new_email,
    'app_metadata', $1.app_metadata, 'user_metadata', $1.user_metadata,
    'identities', jsonb_build_array(jsonb_build_object(
      'identity_id', $1.id, 'id', $1.id, 'user_id', $1.id, 'provider', 'email',
      'identity_data', jsonb_build_object('sub', $1.id, 'email', $1.email,
        'email_verified', $1.email_confirmed_at is not null),
      'email', $1.email, 'last_sign_in_at', $1.last_sign_in_at, 'created_at', $1.created_at,
      'updated_at', $1.updated_at)),
    'factors', coalesce((
      select jsonb_agg(jsonb_build_object(
               'id', f.id, 'friendly_name', f.friendly_name, 'factor_type', f.factor_type,
               'status', f.status, 'created_at', f.created_at, 'updated_at', f.updated_at)
             order by f.created_at)
        from public.mfa_factors f where f.user_id = $1.id), '[]'),
    'created_at', $1.created_at, 'updated_at', $1.updated_at, 'is_anonymous', false)
$$;

-- What a session's access token says, but for issuer and times.
create function app.session_claims(login public.sessions) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'sub', u.id, 'aud', 'authenticated', 'role', 'authenticated', 'email', u.email, 'phone', '',
    'app_metadata', u.app_metadata, 'user_metadata', u.user_metadata, 'session_id', $1.id,
    'aal', $1.aal, 'amr', $1.amr, 'is_anonymous', false)
  from public.users u where u.id = $1.user_id
$$;
revoke execute on function app.user_json(public.users), app.session_claims(public.sessions)
  from public;
grant execute on function app.user_json(public.users), app.session_claims(public.sessions)
  to service_role;
