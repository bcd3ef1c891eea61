"""The metrics for BI tools compute on the published snapshot, and give what is published otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from mobility_warehouse.settings import Settings
from tests.published import Published

SEMANTIC = Settings.from_environment().dbt_project_dir / "models" / "semantic"


def stated(file: str, part: str) -> list[dict[str, Any]]:
    """A part of a file of the semantic layer."""
    content: dict[str, list[dict[str, Any]]] = yaml.safe_load((SEMANTIC / file).read_text(encoding="utf-8"))
    return content[part]


MEASURES: dict[str, tuple[str, dict[str, Any]]] = {
    measure["name"]: (model["model"].removeprefix("ref('").removesuffix("')"), measure)
    for model in stated("_semantic_models.yml", "semantic_models")
    for measure in model.get("measures", [])
}
METRICS = {metric["name"]: metric for metric in stated("_metrics.yml", "metrics")}


def value(name: str) -> str:
    """A metric as SQL over its mart's rows."""
    metric = METRICS[name]
    parameters: Mapping[str, Any] = metric["type_params"]
    if metric["type"] == "ratio":
        numerator, denominator = value(parameters["numerator"]), value(parameters["denominator"])
        return f"{numerator} / nullif(cast({denominator} as numeric), 0)"
    if metric["type"] == "derived":
        (part,) = (each["name"] for each in parameters["metrics"])
        return f"({parameters['expr'].replace(part, f'({value(part)})')})"
    _, measure = MEASURES[parameters["measure"]]
    return f"{measure['agg']}({measure['expr']})"


def mart(name: str) -> str:
    """The mart that a metric is computed on; of a ratio the one that holds both its parts."""
    metric = METRICS[name]
    parameters: Mapping[str, Any] = metric["type_params"]
    if metric["type"] == "ratio":
        numerator, denominator = mart(parameters["numerator"]), mart(parameters["denominator"])
        assert numerator == denominator, name
        return numerator
    if metric["type"] == "derived":
        part: str = parameters["metrics"][0]["name"]
        return mart(part)
    found, _ = MEASURES[parameters["measure"]]
    return found


@pytest.mark.slow
def test_every_metric_computes_and_shares_are_shares(published: Published) -> None:
    with published.analyst.connect() as connection:
        for name, metric in METRICS.items():
            query = text(f"select {value(name)} from marts.{mart(name)}")
            found: Decimal | int | float | None = connection.execute(query).scalar_one()
            assert found is not None, name
            assert found >= 0, name
            if metric["config"]["meta"]["unit"] == "share (0 to 1)":
                assert 0 < found < 1, name


@pytest.mark.slow
def test_metrics_agree_with_what_the_marts_sum_up(published: Published) -> None:
    """Reports and Member States of the summary; an emigration rate of one row; a share of one figure."""
    summary = text(f"""
        select reporting.round_year, count(*) from (
            select round_year, {value("reports_submitted")} as reports, {value("member_states")} as states
            from marts.reporting group by round_year
        ) as reporting
        inner join marts.monitoring_summary as summary
            on reporting.round_year = summary.round_year and summary.grouping_kind = 'global'
            and (reporting.reports <> summary.reported or reporting.states <> summary.member_states)
        group by reporting.round_year
    """)
    rates = text(f"""
        select country_iso3, occupation_code, year, figures from marts.emigration_rate
        where emigration_rate is not null
        group by country_iso3, occupation_code, year, figures, emigration_rate
        having abs({value("emigration_share")} - emigration_rate) > 0.000001
    """)
    shares = text(f"""
        select destination_iso3, occupation_code, year, basis from marts.foreign_trained_share
        where is_chosen and known_origin_share is not null
        group by destination_iso3, occupation_code, year, basis, known_origin_share
        having abs({value("foreign_share_of_known_origin")} - known_origin_share) > 0.000001
    """)
    summed_up = text("select count(*) from marts.monitoring_summary where grouping_kind = 'global'")
    with published.analyst.connect() as connection:
        groups: int = connection.execute(summed_up).scalar_one()
        assert groups > 0
        for query in (summary, rates, shares):
            assert connection.execute(query).all() == []
