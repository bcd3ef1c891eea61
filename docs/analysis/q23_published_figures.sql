-- Which published figures can be rebuilt from the loaded data, and which cannot and why?
-- Code articles 9.2 and 9.5 (the figures that reviews of the Code rest on).
-- Each figure that was read in a source or follows from one, beside what a stated rule rebuilds from what is
-- loaded. rebuilt: agrees within the tolerance. differs: real input, another result. synthetic input: what
-- is rebuilt rests on made-up records and says nothing of the figure. cannot be rebuilt: the input is
-- missing, reason says which. evidence_status tells how sure the published figure itself is. of_status
-- counts the figures of the same status, countries those behind the rebuilt value.
select
    rebuild_status,
    count(*) over (partition by rebuild_status) as of_status,
    subject,
    figure,
    statement,
    comparison,
    trim_scale(published_value) as published_value,
    trim_scale(published_upper_value) as published_upper_value,
    unit,
    round(rebuilt_value, 2) as rebuilt_value,
    round(difference, 2) as difference,
    countries,
    reason,
    evidence_status,
    is_synthetic,
    is_modelled
from marts.published_figures
order by
    case rebuild_status
        when 'differs' then 1 when 'rebuilt' then 2 when 'cannot be rebuilt' then 3 else 4
    end,
    subject,
    figure;
