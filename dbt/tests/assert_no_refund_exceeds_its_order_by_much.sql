-- Breaks: the refunds of one order exceed it by more than the assumption document_difference_limit_amount. So much money in one document is wrong
-- in the source or in its mapping, and the net revenue of the month would be wrong by it. Correct the refund, or raise the limit.
select excess.refund_id, excess.order_id, excess.order_amount, excess.refund_amount, excess.excess_amount
from ({{ refund_excess() }}) as excess
cross join {{ ref('int_core__watermark') }} as watermark
where excess.excess_amount > watermark.document_difference_limit_amount
