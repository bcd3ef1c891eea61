"""The SQL function ``marts.trace``, by which analysts see where a figure came from without rights on raw."""

from __future__ import annotations

from sqlalchemy import Connection

from mobility_warehouse.database.declared import VERSION_COLUMNS
from mobility_warehouse.publication.functions import SqlFunction, install_function, literal
from mobility_warehouse.publication.lineage import declared_lineage

_COLUMNS = (
    ("fetch_id", "bigint"),
    ("source", "text"),
    ("resource", "text"),
    ("slice", "text"),
    ("label", "text"),
    ("url", "text"),
    ("requested_at", "timestamp with time zone"),
    ("status", "integer"),
    ("sha256", "text"),
    ("restricted", "boolean"),
    ("response_id", "bigint"),
    ("record_no", "integer"),
    ("record", "jsonb"),
)

_BODY = """
declare
    key_columns text[];
    key_condition text;
    row_exists boolean;
    moment timestamptz;
    lineage record;
    found_fetch_ids bigint[] := '{}';
    fetch_ids bigint[];
begin
    select
        array_agg(attribute.attname order by attribute.attnum),
        string_agg(format('mart.%1$I = asked.%1$I', attribute.attname), ' and ')
    into key_columns, key_condition
    from pg_constraint as primary_key
    inner join pg_attribute as attribute
        on
            primary_key.conrelid = attribute.attrelid
            and attribute.attnum = any(primary_key.conkey)
    where
        primary_key.conrelid = to_regclass(format('marts.%I', trace.mart))
        and primary_key.contype = 'p';
    if key_columns is null then
        raise exception 'marts has no mart %', trace.mart
            using errcode = 'undefined_table';
    end if;
    if (select array_agg(name order by name) from jsonb_object_keys(trace.key) as name)
        is distinct from (select array_agg(name order by name) from unnest(key_columns) as name)
    then
        raise exception 'a row of marts.% is named by %; asked was %',
            trace.mart, array_to_string(key_columns, ', '), trace.key
            using errcode = 'invalid_parameter_value';
    end if;

    execute format(
        $query$
        select true, mart.fetch_ids
        from marts.%1$I as mart
        inner join jsonb_populate_record(null::marts.%1$I, $1) as asked on %2$s
        $query$,
        trace.mart, key_condition
    ) into row_exists, fetch_ids using trace.key;
    if row_exists is null then
        raise exception 'marts.% has no row %', trace.mart, trace.key
            using errcode = 'no_data_found';
    end if;
    select publication.as_of into moment
    from quality.publication as publication
    order by publication.publication_id desc
    limit 1;

    for lineage in
        select declared.records, declared.condition
        from ({declared}) as declared (mart, records, condition)
        where declared.mart = trace.mart
    loop
        for
            fetch_id, source, resource, slice, label, url, requested_at,
            status, sha256, restricted, response_id, record_no, record
        in execute format(
            $query$
            select
                record.fetch_id,
                pull.source,
                pull.resource,
                pull.slice,
                response.label,
                response.url,
                response.requested_at,
                response.status,
                encode(response.sha256, 'hex'),
                response.restricted,
                record.response_id,
                record.record_no::integer,
                to_jsonb(record) - $3
            from marts.%1$I as mart
            inner join jsonb_populate_record(null::marts.%1$I, $1) as asked on %2$s
            inner join raw.%3$I as record on record.fetch_id = any(mart.fetch_ids)
            inner join raw.fetch as pull on record.fetch_id = pull.fetch_id
            inner join raw.response as response on record.response_id = response.response_id
            where record.fetched_from <= $2 and record.fetched_to > $2 and (%4$s)
            order by record.fetch_id, response.response_no, record.record_no
            $query$,
            trace.mart, key_condition, lineage.records, lineage.condition
        ) using trace.key, moment, {version_columns}
        loop
            found_fetch_ids := found_fetch_ids || fetch_id;
            return next;
        end loop;
    end loop;

    -- A fetch of which no single record is the figure's own still is where the figure came from.
    return query
    select
        pull.fetch_id, pull.source, pull.resource, pull.slice, response.label, response.url,
        response.requested_at, response.status, encode(response.sha256, 'hex'), response.restricted,
        response.response_id, null::integer, null::jsonb
    from raw.fetch as pull
    inner join raw.response as response on pull.fetch_id = response.fetch_id
    where pull.fetch_id = any(fetch_ids) and not pull.fetch_id = any(found_fetch_ids)
    order by pull.fetch_id, response.response_no;
end
"""

_COMMENT = (
    "Where a row of a mart came from: the source records that it was made of, with the URL, time, status "
    "and SHA-256 of the answer that held each. key names the mart's primary key, as in trace('remittances', "
    '\'{"country_iso3": "IND", "year": 2022, "measure": "received_usd"}\').'
)


def install_trace_function(connection: Connection) -> None:
    """Create ``marts.trace``, or replace it where its columns or the declared lineage changed.

    Part of the caller's transaction, as the role publisher.
    """
    rows = [
        (mart, entry.records, entry.where)
        for mart, entries in declared_lineage().items()
        for entry in entries
    ]
    declared = "values " + ", ".join(
        "(" + ", ".join(literal(value) for value in row) + ")" for row in (rows or [("", "", "true")])
    )
    version_columns = f"array[{', '.join(map(literal, VERSION_COLUMNS))}]"
    install_function(
        connection,
        SqlFunction(
            name="trace",
            arguments=(("mart", "text"), ("key", "jsonb")),
            columns=_COLUMNS,
            body=_BODY.replace("{declared}", declared).replace("{version_columns}", version_columns),
            comment=_COMMENT,
        ),
    )
