"""The example alert rules for Prometheus use existing metrics."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.domain.submission import FunctionGroup, Operation, Status
from app.metrics.counters import Counters
from app.metrics.gauges import Figures, families
from app.submissions.backlog import Outstanding

RULES = Path(__file__).parents[3] / "docs/prometheus-alerts.yml"
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
LOGINS = [("M1", FunctionGroup.CRM)]
EXPRESSIONS = {rule["alert"]: rule["expr"] for group in GROUPS for rule in group["rules"]}


class _AllAtOnce(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        now = datetime.now(UTC)
        stuck = {("M1", "interest", Status.FAILED.value): 1}
        return families(Figures([Outstanding("M1", "interest", 1, now)], stuck, frozenset()), LOGINS, now)


@pytest.fixture(scope="module")
def page() -> str:
    """All metrics as Prometheus reads them."""
    counts = Counters(["M1"])
    counts.called("M1", Operation.INTEREST, 1)
    counts.registry.register(_AllAtOnce())
    return generate_latest(counts.registry).decode()


@pytest.mark.parametrize("alert", EXPRESSIONS)
def test_each_rule_uses_existing_metrics_and_labels(alert: str, page: str) -> None:
    for name in re.findall(r"intresse_\w+", EXPRESSIONS[alert]):
        assert re.search(rf"^{name}[{{ ]", page, re.MULTILINE), name
    for labels in re.findall(r"by \(([^)]+)\)", EXPRESSIONS[alert]):
        for label in labels.split(", "):
            assert f'{label}="' in page, label


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is in Debian's package prometheus")
def test_promtool_finds_nothing_wrong() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
