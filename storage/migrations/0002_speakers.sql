-- Corrections of who said what: finals of their own in a meeting's sequence, and what they change.
--
-- An utterance keeps the speaker that it was published with, so that a subscriber who reads the
-- sequence again sees what was said then and arrives where everybody is; `label_*` is what holds
-- now. A row with `change` (storage/caption_record.hpp) is a correction and has no words.
alter table utterances add column change bytea;
alter table utterances add column label_key text;
alter table utterances add column label_confidence real;
alter table utterances add column label_provenance text
  check (label_provenance in ('track', 'cluster', 'enrolled', 'manual'));

-- A speaker that was merged into another is no more.
alter table speakers add column merged_into text;

-- What each voice of a meeting sounds like, so that it keeps its key when the meeting opens again.
create table voices (
  meeting uuid not null references meetings on delete cascade,
  key text not null,
  model text not null,
  centroid bytea not null,
  weight real not null,
  primary key (meeting, key)
);

select qylon_grant('update', 'utterances');
select qylon_grant('select, insert, update', 'voices');
