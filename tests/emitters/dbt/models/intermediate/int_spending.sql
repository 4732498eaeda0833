select b.applicant_id, count(*) as bookings, sum(b.amount) as spent
from {{ ref('int_bookings') }} b
group by b.applicant_id
