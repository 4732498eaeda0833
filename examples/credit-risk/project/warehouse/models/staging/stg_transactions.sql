select customer_id, cast(day as date) as day, kind, cast(amount as double) as amount
from {{ source('raw', 'transactions') }}
