select
    d.customer_id,
    2026 - d.birth_year as age,
    d.income,
    f.tenure_months as tenure,
    c.missed_payments,
    c.spending_ratio,
    c.defaulted
from {{ ref('stg_demographics') }} as d
join {{ ref('customer_features') }} as c on c.customer_id = d.customer_id
join {{ ref('stg_features') }} as f on f.customer_id = d.customer_id
order by d.customer_id
