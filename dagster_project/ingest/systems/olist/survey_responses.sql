-- One row a review of an order; review_id alone is no key, one review may cover several orders.
select
    record_number,
    review_id || '-' || order_id as response_id,
    'review_score' as question_key,
    'transactional' as survey_kind,
    'csat' as survey_metric,
    '1' as scale_min,
    '5' as scale_max,
    review_score as score,
    review_comment_title as choice,
    review_comment_message as comment,
    order_id,
    review_creation_date as invited_at,
    review_answer_timestamp as responded_at,
    'pt' as language_code
from source
