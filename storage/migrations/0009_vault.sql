-- Secrets of organisations, sealed by a data key of each, which is wrapped by a master key that the
-- database never sees. What is the server's own belongs to the zero UUID.
create table vault_keys (
  org_id uuid primary key,
  master text not null,
  wrapped bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create table vault_secrets (
  org_id uuid not null references vault_keys,
  name text not null check (name ~ '^[a-z0-9][a-z0-9_.:/-]{0,199}$'),
  version bigint not null check (version >= 1),
  sealed bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (org_id, name)
);
do $$
declare relation text;
begin
  foreach relation in array array['vault_keys', 'vault_secrets'] loop
    execute format('alter table %I enable row level security', relation);
    execute format('alter table %I force row level security', relation);
    execute format('create policy service on %I to service_role using (true) with check (true)',
                   relation);
    execute format('grant select, insert, update, delete on %I to service_role', relation);
  end loop;
end $$;
