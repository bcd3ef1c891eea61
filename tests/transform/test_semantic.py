"""Metrics, semantic models and exposures say only what the marts' contracts hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mobility_warehouse.settings import Settings

REPOSITORY = Settings.from_environment().repository
#: Words of the expressions that name no column.
_SQL = frozenset(["and", "case", "else", "end", "in", "is", "make_date", "not", "null", "or", "then", "when"])
#: What a row states of a whole: neither adds up nor has a mean.
_RATIO = re.compile(r"(share|rate|percent|density|coverage)$")


def columns_of(expression: str) -> set[str]:
    """Columns that an expression of a measure or dimension names."""
    words = re.findall(r"[a-z_]\w*", re.sub(r"'[^']*'", "", expression))
    return set(words) - _SQL


@pytest.fixture(scope="session")
def parsed(manifest: Path) -> dict[str, Any]:
    """The parsed project."""
    content: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="session")
def marts(parsed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Published models by name."""
    return {
        node["name"]: node
        for node in parsed["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    }


@pytest.mark.slow
def test_semantic_models_name_columns_of_the_contract(
    parsed: dict[str, Any], marts: dict[str, dict[str, Any]]
) -> None:
    models = parsed["semantic_models"].values()
    assert len(models) >= 15
    for model in models:
        mart = marts[model["node_relation"]["alias"]]
        for part in ("entities", "dimensions", "measures"):
            for each in model[part]:
                named = columns_of(each["expr"] or each["name"])
                assert named, f"{model['name']}.{each['name']}"
                assert named <= mart["columns"].keys(), f"{model['name']}.{each['name']}"


@pytest.mark.slow
def test_entities_that_join_are_foreign_keys(
    parsed: dict[str, Any], marts: dict[str, dict[str, Any]]
) -> None:
    primary = {
        entity["name"]: (model["node_relation"]["alias"], entity["expr"] or entity["name"])
        for model in parsed["semantic_models"].values()
        for entity in model["entities"]
        if entity["type"] == "primary"
    }
    for model in parsed["semantic_models"].values():
        mart = marts[model["node_relation"]["alias"]]
        keys = {
            (key["columns"][0], key["to"])
            for key in mart["constraints"]
            if key["type"] == "foreign_key" and len(key["columns"]) == 1
        }
        for entity in model["entities"]:
            column = entity["expr"] or entity["name"]
            if entity["type"] == "foreign":
                assert column in {name for name, _ in keys}, f"{model['name']}.{entity['name']}"
            if entity["type"] == "foreign" and entity["name"] in primary:
                assert (column, f"ref('{primary[entity['name']][0]}')") in keys, f"{model['name']}: {entity}"


@pytest.mark.slow
def test_metrics_state_their_unit_and_recompute_ratios(parsed: dict[str, Any]) -> None:
    metrics = {metric["name"]: metric for metric in parsed["metrics"].values()}
    measures = {
        measure["name"]: measure
        for model in parsed["semantic_models"].values()
        for measure in model["measures"]
    }
    assert sum(metric["type"] == "ratio" for metric in metrics.values()) >= 15
    for name, metric in metrics.items():
        assert metric["label"], name
        assert len(metric["description"]) > 20, name
        assert metric["config"]["meta"]["unit"], name
        if metric["type"] == "ratio":
            assert "never averaged" in metric["description"], name
            for part in ("numerator", "denominator"):
                assert metrics[metric["type_params"][part]["name"]]["type"] == "simple", name
        if metric["type"] == "simple":
            assert metric["type_params"]["measure"]["name"] in measures, name
    used = {
        metric["type_params"]["measure"]["name"] for metric in metrics.values() if metric["type"] == "simple"
    }
    assert measures.keys() == used
    for name, measure in measures.items():
        assert measure["agg"] in ("sum", "count"), name
        added = re.sub(r"\bwhen\b.*?\bthen\b", "", re.sub(r"\s+", " ", measure["expr"]))
        ratios = {column for column in columns_of(added) if _RATIO.search(column)}
        assert measure["agg"] == "count" or not ratios, f"{name} adds {ratios}"


def exposed(parsed: dict[str, Any], name: str) -> set[str]:
    """Marts that an exposure rests on."""
    exposure = parsed["exposures"][f"exposure.mobility_warehouse.{name}"]
    return {node.split(".")[2] for node in exposure["depends_on"]["nodes"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("worked_questions", "docs/analysis/*.sql"),
        ("country_feedback_notes", "plugins/mobility_warehouse/quality/feedback.py"),
    ],
)
def test_what_is_read_is_exposed(
    parsed: dict[str, Any], marts: dict[str, dict[str, Any]], name: str, pattern: str
) -> None:
    read: set[str] = set()
    for path in REPOSITORY.glob(pattern):
        read |= set(re.findall(r"\bmarts\.(\w+)", path.read_text(encoding="utf-8")))
    assert read & marts.keys()
    assert exposed(parsed, name) >= read & marts.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["data_docs", "bi_tools", "publication_package"])
def test_what_shows_every_mart_names_every_mart(
    parsed: dict[str, Any], marts: dict[str, dict[str, Any]], name: str
) -> None:
    assert exposed(parsed, name) == marts.keys()
    owner = parsed["exposures"][f"exposure.mobility_warehouse.{name}"]["owner"]
    assert owner["name"]
    assert not owner.get("email")
