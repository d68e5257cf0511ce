-- Links that let anybody who has one watch a meeting's captions, until it expires or is revoked.
-- Only the digest of its secret is kept.
create table share_links (
  id uuid primary key default gen_random_uuid(),
  meeting uuid not null references meetings (id) on delete cascade,
  secret_sha256 bytea not null unique check (octet_length(secret_sha256) = 32),
  scope text not null default 'view' check (scope in ('view')),
  created_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index share_links_meeting on share_links (meeting, created_at);
alter table share_links enable row level security, force row level security;
create policy service on share_links to service_role using (true) with check (true);
grant select, insert, update on share_links to service_role;
