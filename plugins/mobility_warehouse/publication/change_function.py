"""The SQL functions ``marts.what_changed``: figures added, revised and withdrawn between two publications."""

from __future__ import annotations

from sqlalchemy import Connection

from mobility_warehouse.publication.functions import SqlFunction, install_function

_NAME = "what_changed"
_COLUMNS = (
    ("mart", "text"),
    ("change", "text"),
    ("row_key", "jsonb"),
    ("sources", "text[]"),
    ("caused_by", "text[]"),
    ("indicator", "text"),
    ("figure", "text"),
    ("old_value", "numeric"),
    ("new_value", "numeric"),
    ("changed_columns", "text[]"),
    ("is_synthetic", "boolean"),
    ("before", "jsonb"),
    ("after", "jsonb"),
)

_BY_PUBLICATION = """
#variable_conflict use_column
begin
    if from_publication is null or to_publication is null or from_publication > to_publication
        or (
            select count(*) from quality.publication
            where publication_id in (from_publication, to_publication)
        ) <> (case when from_publication = to_publication then 1 else 2 end)
    then
        raise exception 'no two publications % and % in that order; published are: %',
            coalesce(from_publication::text, 'none'), coalesce(to_publication::text, 'none'),
            coalesce(
                (
                    select string_agg(publication_id::text, ', ' order by publication_id)
                    from quality.publication
                ),
                'none'
            )
            using errcode = 'invalid_parameter_value';
    end if;

    return query
    with ordered as (
        select
            recorded.mart,
            recorded.row_key,
            first_value(recorded.before) over whole as before,
            last_value(recorded.after) over whole as after,
            count(*) over whole as times,
            row_number() over whole as position
        from quality.mart_change as recorded
        where
            recorded.publication_id > from_publication and recorded.publication_id <= to_publication
            -- Of a mart that was published first in between nothing stood before.
            and exists (
                select from quality.publication_mart as published
                where published.publication_id = from_publication and published.mart = recorded.mart
            )
        window whole as (
            partition by recorded.mart, recorded.row_key order by recorded.publication_id
            rows between unbounded preceding and unbounded following
        )
    ),

    netted as (
        select
            ordered.*,
            case
                when ordered.before is null then 'added'
                when ordered.after is null then 'withdrawn'
                else 'revised'
            end as change,
            -- A column that the mart gained in between is no change of a figure, nor is another lineage.
            array(
                select name from jsonb_object_keys(ordered.after) as name
                where
                    name <> 'fetch_ids'
                    and ordered.before ? name
                    and ordered.before ->> name is distinct from ordered.after ->> name
                order by name
            ) as changed_columns,
            array(
                select id::bigint
                from jsonb_array_elements_text(coalesce(ordered.before -> 'fetch_ids', '[]')) as id
            ) as old_fetch_ids,
            array(
                select id::bigint
                from jsonb_array_elements_text(coalesce(ordered.after -> 'fetch_ids', '[]')) as id
            ) as new_fetch_ids
        from ordered
        where ordered.position = 1 and num_nonnulls(ordered.before, ordered.after) > 0
    ),

    figures as (
        select
            mart.relname::text as mart,
            coalesce(
                max(figure.attname::text) filter (where figure.attname = 'value'),
                case when count(*) = 1 then max(figure.attname::text) end
            ) as figure
        from pg_class as mart
        inner join pg_attribute as figure on mart.oid = figure.attrelid
        where
            mart.relnamespace = 'marts'::regnamespace
            and mart.relkind in ('r', 'p')
            and figure.attnum > 0
            and not figure.attisdropped
            and figure.atttypid in ('numeric'::regtype, 'double precision'::regtype, 'real'::regtype)
        group by mart.relname
    ),

    named as (
        select
            netted.*,
            case
                when netted.change <> 'revised' or figures.figure = any(netted.changed_columns)
                    then figures.figure
                else (
                    select max(name) from unnest(netted.changed_columns) as name
                    where 'number' in (
                        jsonb_typeof(netted.before -> name), jsonb_typeof(netted.after -> name)
                    )
                    having count(*) = 1
                )
            end as figure
        from netted
        left join figures on netted.mart = figures.mart
        -- Changed once, it changed as recorded; changed and changed back, it did not.
        where netted.change <> 'revised' or netted.times = 1 or cardinality(netted.changed_columns) > 0
    )

    select
        named.mart,
        named.change,
        named.row_key,
        array(
            select distinct pull.source from raw.fetch as pull
            where pull.fetch_id = any(named.old_fetch_ids || named.new_fetch_ids)
            order by pull.source
        ),
        array(
            select distinct pull.source from raw.fetch as pull
            where
                pull.fetch_id = any(named.old_fetch_ids || named.new_fetch_ids)
                and (pull.fetch_id = any(named.old_fetch_ids)) <> (pull.fetch_id = any(named.new_fetch_ids))
            order by pull.source
        ),
        coalesce(
            stated.row ->> 'indicator_code', stated.row ->> 'indicator', stated.row ->> 'measure',
            named.figure
        ),
        named.figure,
        case
            when jsonb_typeof(named.before -> named.figure) = 'number'
                then (named.before ->> named.figure)::numeric
        end,
        case
            when jsonb_typeof(named.after -> named.figure) = 'number'
                then (named.after ->> named.figure)::numeric
        end,
        named.changed_columns,
        coalesce((named.before ->> 'is_synthetic')::boolean, false)
            or coalesce((named.after ->> 'is_synthetic')::boolean, false),
        named.before,
        named.after
    from named
    cross join lateral (select coalesce(named.after, named.before) as row) as stated
    order by named.mart, named.row_key;
end
"""

_BY_TIME = """
#variable_conflict use_column
declare
    first bigint;
    last bigint;
begin
    select max(publication_id) filter (where published_at <= from_time),
        max(publication_id) filter (where published_at <= to_time)
    into first, last
    from quality.publication;
    if first is null or last is null or from_time > to_time then
        raise exception 'no publications stood at % and %, in that order; the first is of %',
            coalesce(from_time::text, 'no time'), coalesce(to_time::text, 'no time'),
            coalesce((select min(published_at)::text from quality.publication), 'never')
            using errcode = 'invalid_parameter_value';
    end if;
    return query select * from marts.what_changed(first, last);
end
"""

_COMMENT = (
    "Rows of every mart that were added, revised or withdrawn from one publication (quality.publication) to "
    "a later one, netted over those in between: {arguments}. sources are all that the row rests on, "
    "caused_by those of the pulls that only the old or the new row rests on: empty where a reviewed table or "
    "the computation changed. figure is the column that old_value and new_value show, in its unit: the "
    "mart's only figure or its column value, else the only number that changed; null where several figures "
    "changed, which changed_columns names. indicator is the row's indicator or measure, else figure. before "
    "and after are the whole rows. Marts first published in between and marts retired are not listed."
)


def install_change_functions(connection: Connection) -> None:
    """Create or replace ``marts.what_changed``, by publication and by time.

    Part of the caller's transaction, as the role publisher.
    """
    install_function(
        connection,
        SqlFunction(
            name=_NAME,
            arguments=(("from_publication", "bigint"), ("to_publication", "bigint")),
            columns=_COLUMNS,
            body=_BY_PUBLICATION,
            comment=_COMMENT.format(arguments="what_changed(1, 2)"),
        ),
    )
    install_function(
        connection,
        SqlFunction(
            name=_NAME,
            arguments=(
                ("from_time", "timestamp with time zone"),
                ("to_time", "timestamp with time zone"),
            ),
            columns=_COLUMNS,
            body=_BY_TIME,
            comment=_COMMENT.format(
                arguments="what_changed(date '2025-01-01', date '2025-07-01'), of what stood at both times"
            ),
        ),
    )
