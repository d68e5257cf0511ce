-- What was said, with the speakers that hold now. It works as its caller, so row-level security of
-- utterances and speakers decides who sees what.
create view transcriptions with (security_invoker = true) as
select u.org_id, u.meeting as meeting_id, u.caption_offset, u.track, u.start_ms, u.end_ms,
       coalesce(u.label_key, u.speaker_key) as speaker_key, coalesce(s.name, '') as speaker, u.text,
       u.confidence, u.language, u.engine
from utterances u
left join speakers s on s.meeting = u.meeting and s.key = coalesce(u.label_key, u.speaker_key)
where u.change is null;
grant select on transcriptions to authenticated, service_role;
