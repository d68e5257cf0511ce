-- Meetings and what was said in them.
--
-- The server works as qylon_app, which owns nothing. On somebody else's server that role may be
-- missing; qylon_grant then does nothing and the server works as the owner.
create function qylon_grant(privileges text, relation regclass) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  if exists (select from pg_roles where rolname = 'qylon_app') then
    execute format('grant %s on table %s to qylon_app', privileges, relation);
  end if;
end
$$;
revoke all on function qylon_grant(text, regclass) from public;

create table meetings (
  id uuid primary key,
  epoch uuid not null,
  title text not null check (char_length(title) <= 500),
  state text not null default 'created' check (state in ('created', 'live', 'ending', 'ended')),
  glossary text[] not null default '{}' check (cardinality(glossary) <= 1000),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz
);
create index meetings_newest on meetings (created_at desc, id desc);

create table participants (
  meeting uuid not null references meetings on delete cascade,
  key text not null,
  name text not null,
  joined_at timestamptz not null default now(),
  primary key (meeting, key)
);

create table tracks (
  meeting uuid not null references meetings on delete cascade,
  track integer not null check (track between 0 and 65535),
  label text not null,
  speaker text not null,
  codec text not null,
  sample_rate_hz integer not null,
  channels integer not null,
  clock_id uuid not null,
  anchor_ms bigint not null,
  primary key (meeting, track)
);

create table speakers (
  meeting uuid not null references meetings on delete cascade,
  key text not null,
  name text not null,
  provenance text not null check (provenance in ('track', 'cluster', 'enrolled', 'manual')),
  primary key (meeting, key)
);

-- One final caption. "offset" is a reserved word, hence the longer name.
create table utterances (
  meeting uuid not null references meetings on delete cascade,
  caption_offset bigint not null check (caption_offset > 0),
  segment bigint not null,
  revision integer not null,
  track integer not null,
  start_ms bigint not null,
  end_ms bigint not null,
  speaker_key text not null,
  speaker_confidence real not null,
  text text not null,
  confidence real not null,
  language text not null,
  engine text not null,
  primary key (meeting, caption_offset)
);

create table words (
  meeting uuid not null,
  caption_offset bigint not null,
  position integer not null,
  text text not null,
  start_ms bigint not null,
  end_ms bigint not null,
  confidence real not null,
  primary key (meeting, caption_offset, position),
  foreign key (meeting, caption_offset) references utterances on delete cascade
);

select qylon_grant('select, insert, update', 'meetings');
select qylon_grant('select, insert, update', 'participants');
select qylon_grant('select, insert, update', 'tracks');
select qylon_grant('select, insert, update', 'speakers');
select qylon_grant('select, insert', 'utterances');
select qylon_grant('select, insert', 'words');
