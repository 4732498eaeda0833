{{ config(materialized='incremental', incremental_strategy='append') }}

select transaction_id, applicant_id, amount, booked_on
from {{ ref('stg_transactions') }}
{% if is_incremental() %}
where booked_on > (select max(booked_on) from {{ this }})
{% endif %}
