-- Answers of requests that came with an Idempotency-Key, for a day. Without a status the request is
-- still being answered, or its server was killed meanwhile.
create table idempotency_keys (
  principal text not null,
  key text not null check (char_length(key) between 1 and 255),
  fingerprint bytea not null,
  status integer,
  content_type text not null default '',
  headers jsonb not null default '[]',
  body text not null default '',
  started_at timestamptz not null default now(),
  primary key (principal, key)
);
create index idempotency_keys_started_at on idempotency_keys (started_at);
alter table idempotency_keys enable row level security, force row level security;
create policy service on idempotency_keys to service_role using (true) with check (true);
grant select, insert, update, delete on idempotency_keys to service_role;
