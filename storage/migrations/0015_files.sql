-- Files of organisations, in buckets. What is in them lies on the disk under the name `blob`.
create table file_buckets (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references orgs on delete cascade,
  name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  bytes_max bigint not null default 104857600 check (bytes_max between 1 and 1073741824),
  types text[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  unique (org_id, name)
);
create table files (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references orgs on delete cascade,
  bucket_id uuid not null references file_buckets on delete cascade,
  path text not null check (octet_length(path) between 1 and 512),
  content_type text not null check (length(content_type) between 1 and 200),
  bytes bigint not null check (bytes >= 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  blob uuid not null unique,
  created_by uuid default auth.uid(),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  unique (bucket_id, path)
);
create index on files (org_id, created_at, id);
-- What has not come in full yet; one of each user for each path.
create table file_uploads (
  blob uuid primary key default gen_random_uuid(),
  org_id uuid not null references orgs on delete cascade,
  bucket_id uuid not null references file_buckets on delete cascade,
  path text not null check (octet_length(path) between 1 and 512),
  content_type text not null check (length(content_type) between 1 and 200),
  bytes bigint not null default 0,
  created_by uuid default auth.uid(),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  unique nulls not distinct (bucket_id, path, created_by)
);
create index on file_uploads (org_id);
create index on file_uploads (updated_at);

do $$
declare relation text;
begin
  foreach relation in array array['file_buckets', 'files', 'file_uploads'] loop
    execute format('alter table %I enable row level security', relation);
    execute format('alter table %I force row level security', relation);
    execute format('create policy service on %I to service_role using (true) with check (true)',
                   relation);
    execute format('create policy owner on %I to current_user using (true) with check (true)',
                   relation);
    execute format('grant select, insert, update, delete on %I to service_role, authenticated',
                   relation);
    execute format('create trigger touch before update on %I for each row'
                   ' execute function app.touch()', relation);
  end loop;
  -- Who may write everything writes, who may write what is their own writes that.
  foreach relation in array array['files', 'file_uploads'] loop
    execute format($f$create policy members_insert on %I for insert to authenticated
      with check (org_id = (select app.org()) and ((select app.can('write'))
        or ((select app.can('write_own')) and created_by = (select auth.uid()))))$f$, relation);
    execute format($f$create policy members_update on %I for update to authenticated
      using (org_id = (select app.org()) and ((select app.can('write'))
        or ((select app.can('write_own')) and created_by = (select auth.uid()))))
      with check (org_id = (select app.org()) and ((select app.can('write'))
        or ((select app.can('write_own')) and created_by = (select auth.uid()))))$f$, relation);
    execute format($f$create policy members_delete on %I for delete to authenticated
      using (org_id = (select app.org()) and ((select app.can('write'))
        or ((select app.can('write_own')) and created_by = (select auth.uid()))))$f$, relation);
  end loop;
end $$;
create policy members_select on files for select to authenticated
  using (org_id = (select app.org()) and (select app.can('read')));
create policy members_select on file_uploads for select to authenticated
  using (org_id = (select app.org()) and created_by = (select auth.uid()));
create policy members_select on file_buckets for select to authenticated
  using (org_id = (select app.org()) and (select app.can('read')));
create policy managers_insert on file_buckets for insert to authenticated
  with check (org_id = (select app.org()) and (select app.can('manage')));
create policy managers_update on file_buckets for update to authenticated
  using (org_id = (select app.org()) and (select app.can('manage')))
  with check (org_id = (select app.org()) and (select app.can('manage')));
create policy managers_delete on file_buckets for delete to authenticated
  using (org_id = (select app.org()) and (select app.can('manage')));
create trigger emit after insert or update or delete on files
  for each row execute function app.emit('file', 'created', 'blob');
