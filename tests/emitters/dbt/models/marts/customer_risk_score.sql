select
    a.applicant_id,
    s.spent / a.income as spending_ratio,
    c.bureau_score,
    case when c.bureau_score < 600 then 'high' when s.spent > 1000 then 'medium' else 'low' end as risk_band
from {{ ref('int_admitted') }} a
join {{ ref('int_spending') }} s on s.applicant_id = a.applicant_id
join {{ ref('stg_bureau_scores') }} c on c.applicant_id = a.applicant_id
