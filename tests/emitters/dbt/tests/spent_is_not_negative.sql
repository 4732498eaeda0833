select applicant_id, spent from {{ ref('int_spending') }} where spent < 0
