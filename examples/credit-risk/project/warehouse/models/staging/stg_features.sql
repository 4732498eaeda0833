select customer_id, cast(tenure_months as integer) as tenure_months
from {{ source('raw', 'features') }}
