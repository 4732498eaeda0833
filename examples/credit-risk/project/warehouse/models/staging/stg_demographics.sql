select customer as customer_id, cast(birth_year as integer) as birth_year, cast(declared_income as double) as income
from {{ source('raw', 'demographics') }}
