{{ config(tags=['gate']) }}
-- Breaks: a contact that came to a queue ended in no way or in two; every rate of the queue is wrong.
select 'outcomes' as problem, queue, channel, started_date, interval_start_minutes, interval_source, offered_count
from {{ ref('mart_queue_interval') }}
where
    offered_count <> answered_count + abandoned_count + coalesce(blocked_count, 0) + coalesce(voicemail_count, 0) + coalesce(callback_count, 0) + unknown_count
    or unknown_count < 0
union all
select 'parts' as problem, queue, channel, started_date, interval_start_minutes, interval_source, offered_count
from {{ ref('mart_queue_interval') }}
where answered_within_count > answered_judged_count or short_abandoned_count > abandoned_count or answered_before_ring_3_count > ring_known_count or judged_count > offered_count
