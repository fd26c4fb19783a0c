-- One row a call. call_id repeats, so line and date belong to the key; customer 0 is "not identified", server NO_SERVER nobody.
-- 0:00:00 with a duration of 0 means "did not happen". A clock more than half a day behind the entry is past midnight; a few
-- seconds behind it is the switch's negative vru_time, and the call then ends at the latest clock it has. An answer up to a minute
-- before the queue's clock (50 calls) is when the queue began; the switch's own q_time stays the waiting time.
with clocks as (
    select
        *,
        strptime(date || ' ' || vru_entry, '%y%m%d %H:%M:%S') as entered_at,
        strptime(date || ' ' || vru_exit, '%y%m%d %H:%M:%S') as left_menu_at,
        case when q_time <> '0' or q_start <> '0:00:00' then strptime(date || ' ' || q_start, '%y%m%d %H:%M:%S') end as queue_started_at,
        case when q_time <> '0' or q_exit <> '0:00:00' then strptime(date || ' ' || q_exit, '%y%m%d %H:%M:%S') end as queue_left_at,
        case when ser_time <> '0' or ser_start <> '0:00:00' then strptime(date || ' ' || ser_start, '%y%m%d %H:%M:%S') end as served_at,
        case when ser_time <> '0' or ser_exit <> '0:00:00' then strptime(date || ' ' || ser_exit, '%y%m%d %H:%M:%S') end as hung_up_at
    from source
),

instants as (
    select
        * replace (
            case when left_menu_at < entered_at - interval 12 hour then left_menu_at + interval 1 day else left_menu_at end as left_menu_at,
            case when queue_started_at < entered_at - interval 12 hour then queue_started_at + interval 1 day else queue_started_at end as queue_started_at,
            case when queue_left_at < entered_at - interval 12 hour then queue_left_at + interval 1 day else queue_left_at end as queue_left_at,
            case when served_at < entered_at - interval 12 hour then served_at + interval 1 day else served_at end as served_at,
            case when hung_up_at < entered_at - interval 12 hour then hung_up_at + interval 1 day else hung_up_at end as hung_up_at
        )
    from clocks
)

select
    record_number,
    "vru+line" || '-' || call_id || '-' || date as interaction_id,
    nullif(customer_id, '0') as account_id,
    'phone' as channel,
    'in' as direction,
    type as queue,
    entered_at as started_at,
    case when outcome = 'AGENT' and served_at between queue_started_at - interval 1 minute and queue_started_at then served_at else queue_started_at end
        as queued_at,
    case when outcome = 'AGENT' then served_at end as answered_at,
    greatest(entered_at, left_menu_at, queue_left_at, hung_up_at) as ended_at,
    case outcome when 'AGENT' then 'answered' when 'HANG' then 'abandoned_queue' when 'PHANTOM' then 'failed' else outcome end as outcome,
    vru_time as ivr_seconds,
    q_time as queue_seconds,
    ser_time as talk_seconds,
    nullif(server, 'NO_SERVER') as agent_id
from instants
