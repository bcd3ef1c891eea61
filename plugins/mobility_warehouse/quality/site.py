"""Makes the Data Docs a site of its own: readable without the internet, and telling nobody that it was read.

Great Expectations' pages load styles, scripts and a logo from other hosts, the logo with the context's id
in its address; without them the first page shows no result at all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

_TEMPLATES = files("mobility_warehouse.quality") / "templates"
_STYLE = "data_docs.css"

#: A tag that loads from another host: the element with its content, or the tag alone.
_REMOTE_TAG = re.compile(
    r"""<script\b[^>]*\bsrc\s*=\s*["']?(?:https?:)?//[^>]*>.*?</script\s*>"""
    r"""|<(?:link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*["']?(?:https?:)?//[^>]*>""",
    re.IGNORECASE | re.DOTALL,
)
_REMOTE_STYLE = re.compile(r"""url\(\s*["']?(?:https?:)?//[^)]*\)""", re.IGNORECASE)
_FOOTER = re.compile(r"<footer\b.*?</footer\s*>", re.IGNORECASE | re.DOTALL)

#: What calls for a look comes first.
_VERDICTS = ("failed", "warnings", "passed")


@dataclass(frozen=True, slots=True)
class _Result:
    """One suite's result in one run, as its first page lists it."""

    suite: str
    run: str
    time: str
    passed: int
    evaluated: int
    critical: int
    page: str

    @property
    def verdict(self) -> str:
        if self.passed == self.evaluated:
            return "passed"
        return "failed" if self.critical else "warnings"


def make_self_contained(site: Path, validations: Path) -> None:
    """Rewrite the pages of a built site in place.

    ``validations`` holds the stored results, ``<suite>/<run name>/<run time>/<batch>.json``; the site has a
    page for each at the same place below its own ``validations``.
    """
    style = (_TEMPLATES / _STYLE).read_text(encoding="utf-8")
    (site / _STYLE).write_text(style, encoding="utf-8")
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for pattern, instead in ((_REMOTE_TAG, ""), (_REMOTE_STYLE, "none"), (_FOOTER, "")):
            text = pattern.sub(instead, text)
        link = f'<link rel="stylesheet" href="{os.path.relpath(site / _STYLE, page.parent)}">'
        page.write_text(text.replace("</head>", f"{link}\n</head>", 1), encoding="utf-8")
    results = sorted(_results(site, validations), key=lambda each: each.time, reverse=True)
    runs = {
        run: sorted(
            (each for each in results if each.run == run),
            key=lambda each: (_VERDICTS.index(each.verdict), each.suite),
        )
        for run in dict.fromkeys(each.run for each in results)
    }
    suites = sorted(path.stem for path in (site / "expectations").glob("*.html"))
    template = jinja2.Template((_TEMPLATES / "data_docs.html").read_text(encoding="utf-8"), autoescape=True)
    (site / "index.html").write_text(
        template.render(runs=runs, suites=suites, style=_STYLE), encoding="utf-8"
    )


def _results(site: Path, validations: Path) -> Iterator[_Result]:
    for stored in validations.glob("*/*/*/*.json"):
        result: dict[str, Any] = json.loads(stored.read_bytes())
        page = site / "validations" / stored.relative_to(validations).with_suffix(".html")
        if not page.is_file():
            continue
        failed = [each for each in result["results"] if not each["success"]]
        yield _Result(
            suite=result["suite_name"],
            run=result["meta"]["run_id"]["run_name"],
            time=result["meta"]["run_id"]["run_time"],
            passed=result["statistics"]["successful_expectations"],
            evaluated=result["statistics"]["evaluated_expectations"],
            critical=sum(each["expectation_config"].get("severity") == "critical" for each in failed),
            page=page.relative_to(site).as_posix(),
        )
