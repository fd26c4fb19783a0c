-- A segment is an attribute of the account, and a quarter has months that no record changed: each run builds all rows.
with parameters as (
    select acsi_overall_weight, acsi_expectation_weight, acsi_ideal_weight from {{ source('lake', 'run_parameters') }}
),

periods as (
    select 'month' as period_kind, period_month, period_month as period_start, is_complete_period from {{ ref('dim_period') }} where start_date <= as_of_date
    union all
    select 'quarter', period_month, quarter_start_date, is_complete_quarter from {{ ref('dim_period') }} where start_date <= as_of_date
),

numbered as (
    select
        period_kind, period_start, max(period_month) as period_month, bool_and(is_complete_period) as is_complete_period,
        cast(row_number() over (partition by period_kind order by period_start) as bigint) as period_number
    from periods
    group by period_kind, period_start
),

answers as (
    select
        answers.asked_key, answers.period_month, answers.survey_kind, answers.survey_metric, answers.question_key, answers.question_version,
        coalesce(answers.channel, 'none') as channel, coalesce(accounts.segment, 'none') as segment, answers.scale_min_score as low_end, answers.scale_max_score as high_end, answers.answer_score,
        -- Promoters and detractors are points of 0 to 10 and of no other scale.
        answers.answer_share is not null and (answers.survey_metric <> 'nps' or (answers.scale_min_score = 0 and answers.scale_max_score = 10)) as is_scaled,
        answers.is_top_box as is_top,
        answers.answer_score = answers.scale_max_score as is_highest,
        case
            when answers.survey_metric = 'nps' then answers.answer_score <= 6
            else 3 * (answers.answer_score - answers.scale_min_score) <= answers.scale_max_score - answers.scale_min_score
        end as is_bottom
    from {{ ref('fct_survey_response') }} as answers
    left join {{ ref('dim_account') }} as accounts on answers.account_id = accounts.account_id
    where answers.is_counted
),

-- Who answered all three items of the ACSI on 1 to 10, in ten-thousandths above 1; in two responses where one of them corrects the other.
respondents as (
    select
        asked_key, survey_kind, max(period_month) as period_month, min(channel) as channel, min(segment) as segment,
        {%- for item in ['overall', 'expectation', 'ideal'] %}
        max(case when question_key = 'acsi_{{ item }}' then cast((answer_score - 1) * 10000 as bigint) end) as {{ item }}{{ ',' if not loop.last }}
        {%- endfor %}
    from answers
    where survey_metric = 'acsi' and question_key in ('acsi_overall', 'acsi_expectation', 'acsi_ideal') and low_end = 1 and high_end = 10
    group by asked_key, survey_kind
    having count(*) = 3
),

weights as (
    select
        'acsi_index' as question_key, cast(acsi_overall_weight * 10000 as bigint) as overall_weight, cast(acsi_expectation_weight * 10000 as bigint) as expectation_weight,
        cast(acsi_ideal_weight * 10000 as bigint) as ideal_weight
    from parameters
    union all
    select 'acsi_equal_index', cast(1 as bigint), cast(1 as bigint), cast(1 as bigint)
),

scored as (
    select
        period_month, survey_kind, survey_metric, question_key, question_version, channel, segment, low_end, high_end, cast(answer_score as decimal(13, 8)) as answer_score,
        is_scaled, is_scaled and is_top as is_top, is_scaled and is_highest as is_highest, is_scaled and is_bottom as is_bottom
    from answers
    union all
    -- The index of means is the mean of the indices, each to eight decimals.
    select
        respondents.period_month, respondents.survey_kind, 'acsi', weights.question_key, null, respondents.channel, respondents.segment, 0, 100,
        cast(cast({{ rounded_quotient('(weights.overall_weight * respondents.overall + weights.expectation_weight * respondents.expectation + weights.ideal_weight * respondents.ideal)', '(90000 * (weights.overall_weight + weights.expectation_weight + weights.ideal_weight))', 10000000000) }} as decimal(19, 0)) * cast(0.00000001 as decimal(9, 8)) as decimal(13, 8)),
        true, null, null, null
    from respondents
    cross join weights
),

counted as (
    select
        periods.period_kind, periods.period_start, scored.survey_kind, scored.survey_metric, scored.question_key, cuts.cut,
        case cuts.cut when 'channel' then scored.channel when 'segment' then scored.segment else 'all' end as member,
        count(distinct question_version) as question_versions_count, count(*) as answers_count,
        count(case when is_scaled then 1 end) as n, count(case when is_highest then 1 end) as highest_count,
        count(case when is_top then 1 end) as top_count, count(case when is_bottom then 1 end) as bottom_count,
        bool_or(is_scaled and answer_score is null) as is_unweighted,
        count(distinct case when is_scaled then low_end end) <= 1 and count(distinct case when is_scaled then high_end end) <= 1 as is_of_one_scale,
        cast(cast(sum(case when is_scaled then answer_score end) as decimal(28, 8)) as double) as answer_sum,
        cast(cast(sum(case when is_scaled then cast(cast(answer_score as decimal(19, 8)) * cast(answer_score as decimal(19, 8)) as decimal(18, 6)) end) as decimal(28, 6)) as double) as square_sum
    from scored
    inner join periods on scored.period_month = periods.period_month
    cross join (select 'all' as cut union all select 'channel' union all select 'segment') as cuts
    group by
        periods.period_kind, periods.period_start, scored.survey_kind, scored.survey_metric, scored.question_key, cuts.cut,
        case cuts.cut when 'channel' then scored.channel when 'segment' then scored.segment else 'all' end
),

-- The ACSI of a period in which nobody answered is unknown, and has a row that says so.
with_empty as (
    select * from counted
    union all
    select
        numbered.period_kind, numbered.period_start, 'relationship', 'acsi', 'acsi_index', 'all', 'all', 0, 0, 0, 0, 0, 0, false, true, null, null
    from numbered
    where not exists (
        select 1 from counted
        where counted.period_kind = numbered.period_kind and counted.period_start = numbered.period_start and counted.survey_kind = 'relationship'
            and counted.question_key = 'acsi_index' and counted.cut = 'all'
    )
),

reasoned as (
    select
        with_empty.*, numbered.period_month, numbered.period_number, numbered.is_complete_period, question_key in ('acsi_index', 'acsi_equal_index') as is_index,
        cast(n as double) as answers, cast(top_count as double) as top, cast(bottom_count as double) as bottom,
        case
            when presence.is_present is not true then 'source_absent'
            when answers_count = 0 then 'no_responses'
            when n = 0 then 'scale_unknown'
            when is_unweighted then 'weights_absent'
            when n < 30 then 'n_below_30'
        end as null_reason
    from with_empty
    inner join numbered on with_empty.period_kind = numbered.period_kind and with_empty.period_start = numbered.period_start
    left join {{ source('lake', 'feed_presence') }} as presence on presence.feed = 'survey_responses'
),

-- The figure of a question: share of good answers, of promoters less detractors, of the ACSI the index. `half` is half its interval; shares have Wilson's.
valued as (
    select
        reasoned.*,
        case when is_index then answer_sum when survey_metric = 'nps' then 100 * (top - bottom) else top end / nullif(answers, 0) as middle,
        case
            when is_index then 1.959963984540054e0 * sqrt(greatest(square_sum - answer_sum * answer_sum / nullif(answers, 0), cast(0 as double)) / nullif(answers - 1, 0) / nullif(answers, 0))
            when survey_metric = 'nps' then 195.9963984540054e0 * sqrt(greatest((top + bottom) / nullif(answers, 0) - (top - bottom) / nullif(answers, 0) * (top - bottom) / nullif(answers, 0), cast(0 as double)) / nullif(answers, 0))
        end as half
    from reasoned
),

followed as (
    select
        valued.*,
        case when null_reason is null then middle end as value,
        case
            when lag(period_number) over (partition by period_kind, survey_kind, survey_metric, question_key, cut, member order by period_start) = period_number - 1
                then lag(case when null_reason is null then middle end) over (partition by period_kind, survey_kind, survey_metric, question_key, cut, member order by period_start)
        end as previous
    from valued
),

mart_survey_score as (
    select
        period_kind, period_start, period_month, survey_kind, survey_metric, question_key, survey_kind || '/' || survey_metric || '/' || question_key as series_id, cut, member,
        cast(question_versions_count as bigint) as question_versions_count, cast(answers_count as bigint) as answers_count, cast(n as bigint) as n,
        cast(case when not is_index then highest_count end as bigint) as highest_count, cast(case when not is_index then top_count end as bigint) as top_count,
        cast(case when not is_index then n - top_count - bottom_count end as bigint) as middle_count,
        cast(case when not is_index then bottom_count end as bigint) as bottom_count,
        followed.value, null_reason, is_complete_period,
        case when is_index or survey_metric = 'nps' then middle - half else {{ wilson_bound('top_count', 'n', '-') }} end as low,
        case when is_index or survey_metric = 'nps' then middle + half else {{ wilson_bound('top_count', 'n', '+') }} end as high,
        case when null_reason is null and not is_index then top / nullif(answers, 0) end as good_share,
        case when null_reason is null and not is_index then cast(highest_count as double) / nullif(answers, 0) end as excellent_share,
        case when null_reason is null and not is_index then bottom / nullif(answers, 0) end as dissatisfied_share,
        case when null_reason is null and is_of_one_scale then answer_sum / nullif(answers, 0) end as answer_mean_score,
        coalesce(null_reason, case when not is_of_one_scale then 'scales_differ' end) as mean_null_reason,
        followed.value - followed.previous as change_score,
        case when survey_metric <> 'nps' then (followed.value - followed.previous) / nullif(followed.previous, 0) end as change_rate,
        coalesce(null_reason, case when previous is null then 'no_prior_period' when previous = 0 then 'zero_denominator' end) as change_null_reason
    from followed
)

select * from mart_survey_score
