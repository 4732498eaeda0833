-- a seed by ref(), not as a source: without structured logs dbt-ol does not list it as an input, though its column
-- lineage names it
select applicant_id, bureau_score
from {{ ref('bureau_scores') }}
