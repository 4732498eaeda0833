select transaction_id, applicant_id, amount, cast(booked_on as date) as booked_on
from {{ source('raw', 'transactions') }}
