{{ config(severity='warn') }}
-- Warns: several systems deliver an account or a contact of one id. They count as one, with the latest row in force. That is right for
-- an id that the company uses everywhere; two systems that count from 1 need a number of the company's own in one of them.
select 'accounts' as relation, account_id as shared_id, source_system from {{ ref('stg_accounts') }} where is_overruled
union all
select 'contacts' as relation, contact_id as shared_id, source_system from {{ ref('stg_contacts') }} where is_overruled
