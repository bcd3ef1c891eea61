"""The data contract of the marts, and what else the published snapshot keeps to: keys, counted rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from datacontract.data_contract import DataContract
from datacontract.model.run import ResultEnum, Run
from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject
from sqlalchemy import make_url, text

from mobility_warehouse.contracts import contract_page
from mobility_warehouse.database.embedded import EmbeddedPostgres
from mobility_warehouse.documents import read_marts
from mobility_warehouse.quality.rules import RowCount, read_table
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources
from tests.published import Published

SETTINGS = Settings.from_environment()
CONTRACT = SETTINGS.repository / "docs" / "contracts" / "marts.odcs.yaml"

pytestmark = pytest.mark.slow


def read_contract() -> OpenDataContractStandard:
    """The contract as committed; read by libyaml, as the tool's own reader takes seconds."""
    return OpenDataContractStandard(**yaml.load(CONTRACT.read_bytes(), Loader=yaml.CSafeLoader))


def judged(contract: OpenDataContractStandard, published: Published) -> Run:
    """What datacontract-cli finds in the published marts, as the analyst who reads them over TCP."""
    url = make_url(EmbeddedPostgres(published.home).url("analyst", "warehouse"))
    connection = {
        "HOST": url.host or "",
        "PORT": str(url.port),
        "USERNAME": url.username or "",
        "PASSWORD": str(url.password),
    }
    return DataContract(
        data_contract=contract,
        server="warehouse",
        config={f"DATACONTRACT_POSTGRES_{name}": value for name, value in connection.items()},
        inline_references=False,
    ).test()


def faults(run: Run) -> list[str]:
    """Checks that did not pass, with what was found."""
    return [
        f"{check.name}: {check.reason}" for check in run.checks or [] if check.result != ResultEnum.passed
    ]


def schemas(contract: OpenDataContractStandard) -> dict[str, SchemaObject]:
    """The contract's marts by name."""
    return {str(schema.name): schema for schema in contract.schema_ or []}


def test_the_contract_keeps_to_the_standard() -> None:
    run = DataContract(data_contract_file=str(CONTRACT), inline_references=False, all_errors=True).lint()
    assert run.result == ResultEnum.passed, faults(run)


def test_published_marts_keep_the_contract(published: Published) -> None:
    contract = read_contract()
    for schema in contract.schema_ or []:
        # The mart gate has judged every foreign key of this publication; here each would be a query more.
        schema.relationships = None
    run = judged(contract, published)
    assert faults(run) == []
    assert len(run.checks or []) > 2 * sum(len(schema.properties or []) for schema in contract.schema_ or [])


def test_a_mart_that_breaks_the_contract_is_named(published: Published) -> None:
    contract = read_contract()
    wanted = schemas(contract)["dim_round"]
    properties = {each.name: each for each in wanted.properties or []}
    properties["round_year"].physicalType = "text"
    (counted,) = [rule for rule in wanted.quality or [] if rule.metric == "rowCount"]
    counted.mustBeGreaterOrEqualTo = 1_000
    contract.schema_ = [wanted]
    run = judged(contract, published)
    assert run.result == ResultEnum.failed
    assert sorted({check.type for check in run.checks or [] if check.result == ResultEnum.failed}) == [
        "field_physical_type",
        "row_count",
    ]


def test_the_contract_says_what_the_project_declares() -> None:
    marts = {mart.name: mart for mart in read_marts(SETTINGS.dbt_project_dir)}
    wanted = [marts[name] for name in ("remittances", "support_pairs", "remittance_corridors")]
    contract = yaml.safe_load(contract_page(wanted, sources().values(), []))
    remittances, support_pairs, corridors = contract["schema"]
    assert [each["name"] for each in support_pairs["properties"] if each.get("primaryKey")] == [
        "round_year",
        "donor_iso3",
        "recipient_iso3",
    ]
    assert "quality" not in support_pairs, "its one test only warns"
    assert "select count(*) from ${object} where not (value is null or value >= 0)" in [
        rule["query"] for rule in corridors["quality"]
    ]
    assert (
        "select count(*) from ${object} where (measure not in ('cost_inbound', 'cost_outbound'))"
        " and (not (value >= 0))"
    ) in [rule["query"] for rule in remittances["quality"]]
    (year,) = [each for each in remittances["properties"] if each["name"] == "year"]
    assert [rule["query"] for rule in year["quality"]] == [
        "select count(*) from ${object} where year < 1960 or year > 2100"
    ]
    (listed,) = [each["value"] for each in contract["customProperties"] if each["property"] == "sources"]
    assert {each["source"] for each in listed} == set(sources())


def test_every_declared_key_names_one_row(published: Published) -> None:
    manifest = json.loads((published.home / "dbt" / "current" / "manifest.json").read_text(encoding="utf-8"))
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["schema"] in ("staging", "intermediate")
    ]
    assert len(models) > 100
    broken = []
    with published.engine("transform").connect() as connection:
        for model in models:
            (key,) = [each for each in model["constraints"] if each["type"] in ("primary_key", "unique")]
            columns = ", ".join(key["columns"])
            missing = f"num_nulls({columns}) > 0" if key["type"] == "primary_key" else "false"
            relation = f"{model['schema']}.{model['alias']}"
            found = connection.execute(
                text(f"""
                    select
                        exists (select from {relation} group by {columns} having count(*) > 1),
                        exists (select from {relation} where {missing})
                """)
            ).one()
            if any(found):
                broken.append(f"{model['name']} ({columns})")
    assert broken == []


def test_no_mart_loses_a_tenth_of_its_rows_unseen(published: Published) -> None:
    """The gate judges by the bands; here they are held to the snapshot, so that they stay that narrow."""
    bands = {
        count.relation: count for count in read_table(SETTINGS.expectations_dir / "row_counts.csv", RowCount)
    }
    counts: dict[str, Any] = {}
    with published.analyst.connect() as connection:
        for mart in read_marts(SETTINGS.dbt_project_dir):
            counts[f"marts.{mart.name}"] = connection.execute(
                text(f"select count(*) from marts.{mart.name}")
            ).scalar_one()
    assert sorted(counts.keys() - bands.keys()) == []
    wide = {
        name: (rows, bands[name].min_rows, bands[name].max_rows)
        for name, rows in counts.items()
        if not 0.9 * rows < bands[name].min_rows <= rows <= bands[name].max_rows
    }
    assert wide == {}, "rows, and the band that they are to be in: edit expectations/row_counts.csv"
