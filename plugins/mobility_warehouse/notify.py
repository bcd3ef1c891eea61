"""Tells an operator's own system that a task failed, by a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from airflow.sdk import BaseNotifier, Context

_SECONDS = 10.0


class WebhookNotifier(BaseNotifier):
    """POST ``{"dag", "task", "run_id", "try_number", "error", "log_url"}`` as JSON to a URL.

    Raises httpx.HTTPError when the system does not take it: Airflow logs that beside the failure.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def notify(self, context: Context) -> None:
        """Send what happened; the URL itself may hold a token and is never logged."""
        httpx.post(self.url, json=describe_failure(context), timeout=_SECONDS).raise_for_status()


def describe_failure(context: Context) -> dict[str, Any]:
    """What failed, as JSON types."""
    task_instance = context["ti"]
    return {
        "dag": task_instance.dag_id,
        "task": task_instance.task_id,
        "run_id": context["run_id"],
        "try_number": task_instance.try_number,
        "error": str(context.get("exception") or ""),
        "log_url": getattr(task_instance, "log_url", None),
    }
