select applicant_id, full_name, postcode, income
from {{ source('raw', 'applicants') }}
