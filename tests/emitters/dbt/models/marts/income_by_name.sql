{{ config(enabled=var('broken', false)) }}

-- fails when it runs: a name is no number
select cast(full_name as integer) as name_number, income
from {{ ref('stg_applicants') }}
