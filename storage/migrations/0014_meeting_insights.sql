-- What was said in meetings is found again: by search, and by what the server reads out of it.

-- The utterances of the caller's organisation that hold the words, the best first. Row-level security
-- would hide the index from `@@`, which is not leakproof; so this asks for the organisation itself.
-- At most a thousand hits, of the newest meetings, are ranked: a common word costs no more than that.
create function app.search_utterances(words text, only_meeting uuid, count integer) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
  query tsquery := websearch_to_tsquery('english', words) || websearch_to_tsquery('simple', words);
  org uuid := app.org();
  server boolean := current_setting('role') = 'service_role';
begin
  if not server and not app.can('read') then
    return '{"items": []}';
  end if;
  return (
    with hits as materialized (
      select u.meeting, u.caption_offset, u.search, m.title, m.created_at
        from public.utterances u join public.meetings m on m.id = u.meeting
       where u.search @@ query and (server or u.org_id = org)
         and (only_meeting is null or u.meeting = only_meeting)
       order by m.created_at desc, u.caption_offset desc limit 1000),
    best as materialized (
      select h.*, ts_rank_cd(h.search, query) as rank from hits h
       order by rank desc, h.created_at desc, h.caption_offset limit count)
    select jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
             'meeting', b.meeting, 'title', b.title, 'created_at', b.created_at,
             'offset', b.caption_offset, 'start_ms', u.start_ms, 'end_ms', u.end_ms,
             'speaker', coalesce(s.name, ''), 'rank', b.rank, 'text', u.text,
             'snippet', ts_headline('english', u.text, query, 'StartSel=«, StopSel=», MaxWords=30, MinWords=10'))
             order by b.rank desc, b.created_at desc, b.caption_offset), '[]'))
      from best b
      join public.utterances u on u.meeting = b.meeting and u.caption_offset = b.caption_offset
      left join public.speakers s
        on s.meeting = u.meeting and s.key = coalesce(u.label_key, u.speaker_key));
end
$$;
revoke all on function app.search_utterances(text, uuid, integer) from public;
grant execute on function app.search_utterances(text, uuid, integer) to authenticated, service_role;

-- As declared in api/domains.
alter table utterances add column search tsvector generated always as (to_tsvector(case when language like 'en%' then 'english'::regconfig else 'simple'::regconfig end, text)) stored;
create table meeting_action_items (
  id uuid default gen_random_uuid() not null,
  org_id uuid default app.org() not null,
  meeting_id uuid not null,
  text text not null,
  assignee text,
  due_on date,
  status text default 'open' not null,
  origin text default 'person' not null,
  caption_offset bigint,
  number integer,
  start_ms bigint,
  confidence real,
  created_by uuid default auth.uid(),
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table meeting_insights (
  org_id uuid not null,
  meeting_id uuid not null,
  summary jsonb not null,
  decisions jsonb not null,
  speakers jsonb not null,
  sentiments jsonb not null,
  keywords text[] not null,
  sentiment real not null,
  words integer not null,
  engine text not null,
  made_at timestamp with time zone default now() not null
);
create policy meetings_owner on meetings for all to current_user using (true) with check (true);
create policy speakers_owner on speakers for all to current_user using (true) with check (true);
create index utterances_search_idx on utterances using gin (search);
create policy utterances_owner on utterances for all to current_user using (true) with check (true);
alter table meeting_action_items add constraint meeting_action_items_text_max check (char_length(text) <= 4000);
alter table meeting_action_items add constraint meeting_action_items_assignee_max check (char_length(assignee) <= 200);
alter table meeting_action_items add constraint meeting_action_items_status_one_of check (status in ('open', 'done', 'dismissed'));
alter table meeting_action_items add constraint meeting_action_items_origin_one_of check (origin in ('person', 'transcript'));
alter table meeting_action_items add constraint meeting_action_items_pkey primary key (org_id, id);
alter table meeting_action_items add constraint meeting_action_items_meeting_id_caption_offset_number_key unique (org_id, meeting_id, caption_offset, number);
create index meeting_action_items_org_id_created_at_id_idx on meeting_action_items (org_id, created_at, id);
create index meeting_action_items_org_id_meeting_id_idx on meeting_action_items (org_id, meeting_id);
create index meeting_action_items_org_id_status_due_on_idx on meeting_action_items (org_id, status, due_on);
alter table meeting_action_items enable row level security, force row level security;
create policy meeting_action_items_select on meeting_action_items for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy meeting_action_items_insert on meeting_action_items for insert to authenticated with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy meeting_action_items_update on meeting_action_items for update to authenticated using (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own')))) with check (org_id = (select app.org()) and ((select app.can('write')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy meeting_action_items_delete on meeting_action_items for delete to authenticated using (org_id = (select app.org()) and ((select app.can('delete')) or created_by = (select auth.uid()) and (select app.can('write_own'))));
create policy meeting_action_items_service on meeting_action_items for all to service_role using (true) with check (true);
grant select, insert, update, delete on meeting_action_items to service_role;
grant select, insert, update, delete on meeting_action_items to authenticated;
create trigger meeting_action_items_touch before update on meeting_action_items for each row execute function app.touch();
create trigger meeting_action_items_emit after insert or update or delete on meeting_action_items for each row execute function app.emit('meeting_action_item', 'created');
alter table meeting_insights add constraint meeting_insights_pkey primary key (meeting_id);
alter table meeting_insights enable row level security, force row level security;
create policy meeting_insights_select on meeting_insights for select to authenticated using (org_id = (select app.org()) and (select app.can('read')));
create policy meeting_insights_service on meeting_insights for all to service_role using (true) with check (true);
grant select, insert, update, delete on meeting_insights to service_role;
grant select on meeting_insights to authenticated;
alter table meeting_action_items add constraint meeting_action_items_meeting_id_fkey foreign key (org_id, meeting_id) references meetings (org_id, id) on delete cascade;
alter table meeting_action_items add constraint meeting_action_items_org_id_fkey foreign key (org_id) references orgs (id) on delete cascade;
alter table meeting_insights add constraint meeting_insights_org_id_meeting_id_fkey foreign key (org_id, meeting_id) references meetings (org_id, id) on delete cascade;
