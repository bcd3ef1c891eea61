"""SQL functions of the schema ``marts``: brought to what this version of the project calls."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_READERS = ("analyst", "bi_reader", "secretariat")


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A PL/pgSQL function of ``marts``. ``arguments`` are pairs of name and type, ``columns`` what it gives.

    Runs as its owner, the publisher, who reads landed versions and no body and nothing restricted.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    body: str
    comment: str

    @property
    def signature(self) -> str:
        """Qualified name with the types of the arguments, by which PostgreSQL knows the function."""
        return f"marts.{self.name}({', '.join(type_ for _, type_ in self.arguments)})"

    @property
    def result(self) -> str:
        """The result as PostgreSQL's catalogue writes it."""
        return f"TABLE({', '.join(f'{name} {type_}' for name, type_ in self.columns)})"

    @property
    def definition(self) -> str:
        """The statement that creates it or replaces one of the same columns."""
        arguments = ", ".join(f"{name} {type_}" for name, type_ in self.arguments)
        return f"""
            create or replace function marts.{self.name}({arguments})
            returns {self.result}
            language plpgsql
            stable
            security definer
            set search_path = pg_catalog, pg_temp
            as $body$
{self.body}
            $body$
        """


_STANDING = text("""
    select
        standing.oid,
        standing.prosrc,
        pg_get_function_result(standing.oid) as result,
        obj_description(standing.oid, 'pg_proc') as comment,
        array(
            select distinct quote_ident(pg_get_userbyid(acl.grantee))
            from aclexplode(standing.proacl) as acl
            where acl.grantee <> 0 and acl.grantee <> standing.proowner
        ) as readers
    from pg_proc as standing
    where standing.oid = to_regprocedure(:signature)
""")


def install_function(connection: Connection, function: SqlFunction) -> None:
    """Create the function, or replace it where its columns or its body changed.

    Part of the caller's transaction, as the role publisher, so that no reader meets a moment without it.
    Whoever may execute the standing function may execute its successor. Readers' views that rest on a
    function with other columns keep it, under another name, as their own columns cannot change.
    """
    standing = connection.execute(_STANDING, {"signature": function.signature}).one_or_none()
    if (
        standing
        and standing.prosrc.strip() == function.body.strip()
        and standing.result == function.result
        and standing.comment == function.comment
    ):
        return
    if standing and standing.result != function.result:
        _retire(connection, function, standing.oid)
    cursor = connection.connection.cursor()
    try:
        # Straight to the driver: the body's colons and percent signs are not parameters.
        cursor.execute(function.definition)
        cursor.execute(f"comment on function {function.signature} is {literal(function.comment)}")
        cursor.execute(f"revoke all on function {function.signature} from public")
        readers = {*_READERS, *(standing.readers if standing else ())}
        cursor.execute(f"grant execute on function {function.signature} to {', '.join(sorted(readers))}")
    finally:
        cursor.close()


def _retire(connection: Connection, function: SqlFunction, oid: int) -> None:
    """Make room for a function with other columns: drop the standing one, or rename it under its views."""
    rests_on_it: bool = connection.execute(
        text("""
            select exists (
                select from pg_depend
                where refclassid = cast('pg_proc' as regclass) and refobjid = :oid and deptype = 'n'
            )
        """),
        {"oid": oid},
    ).scalar_one()
    if not rests_on_it:
        connection.execute(text(f"drop function {function.signature}"))
        return
    superseded = f"{function.name}_superseded_{oid}"
    types = function.signature.partition("(")[2]
    connection.execute(text(f"alter function {function.signature} rename to {superseded}"))
    words = f"Superseded by marts.{function.name}; views rest on it. Drop it with the last of them."
    connection.execute(text(f"comment on function marts.{superseded}({types} is {literal(words)}"))


def literal(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"
