select a.applicant_id, a.income
from {{ ref('stg_applicants') }} a
where not exists (
    select 1 from {{ source('raw', 'blocked') }} x where x.applicant_id = a.applicant_id
)
