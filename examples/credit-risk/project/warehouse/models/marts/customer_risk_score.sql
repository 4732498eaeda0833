select
    d.customer_id,
    case
        when d.birth_year > 1996 then '18-29'
        when d.birth_year > 1981 then '30-44'
        when d.birth_year > 1961 then '45-64'
        else '65 and over'
    end as age_band,
    d.income,
    f.tenure_months as tenure,
    c.missed_payments,
    c.spending_ratio,
    c.defaulted
from {{ ref('stg_demographics') }} as d
join {{ ref('customer_features') }} as c on c.customer_id = d.customer_id
join {{ ref('stg_features') }} as f on f.customer_id = d.customer_id
order by d.customer_id
