select
    customer_id,
    count(*) filter (where kind = 'missed_payment') as missed_payments,
    round(-sum(amount) filter (where kind = 'purchase') / sum(amount) filter (where kind = 'salary'), 3) as spending_ratio,
    count(*) filter (where kind = 'default') as defaulted
from {{ ref('stg_transactions') }}
group by customer_id
