"""Which indexes answer the lists of appeals: no filter and no ordering of the contract may read a whole table.

    DATABASE_URL=postgres://... python benchmarks/plans.py

Looks at the scratch database that `benchmarks/api.py --keep` has left. For each filter and ordering: the indexes of
appeals that the statements of the call use, their time by EXPLAIN ANALYZE, and the tables that grow with the appeals
and are read whole. Ends with 1 if there is such a table.
Last figures, 2 cores: see docs/architecture.md, "Figures".
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import api  # sets Django up
from django.db import connection
from django.test.utils import setup_databases
from django.utils import timezone

from appeals.api.appeals import AppealViewSet
from appeals.api.filters import Appeals
from appeals.models import Appeal, Incident
from hub.models import ApiToken, User

LARGE = {"appeals_appeal", "appeals_deadline", "appeals_event"}
ORDERINGS = [sign + field for field in AppealViewSet.ordering_fields for sign in ("", "-")]


def questions(user: User) -> dict[str, dict[str, str]]:
    """A list for each filter, with the usual and the rare value of those that have both, and for each ordering."""
    sent = Appeal.objects.visible_to(user).exclude(external_number="")
    one = sent.order_by("-created_at")[Appeal.objects.count() // 4]
    now = timezone.now()
    found: dict[str, list[str]] = {
        "marketplace": ["ozon"],
        "shop": [str(one.shop_id)],
        "status": ["draft", "waiting", "our_turn", "resolved"],
        "turn": ["marketplace", "us", "nobody"],
        "topic": [str(one.topic and one.topic.slug)],
        "channel": [str(one.channel_id)],
        "priority": ["urgent", "normal"],
        "assignee": [user.email],
        "overdue": ["true", "false"],
        "due_before": [now.isoformat()],
        "submitted_after": [(now - timedelta(days=1)).isoformat()],
        "submitted_before": [(now - timedelta(days=300)).isoformat()],
        "matter": [str(one.pk)],
        "incident": [str(incident_of(one))],
        "external_number": [one.external_number, "no such number"],
        "order_number": [one.order_numbers[0], "no such number"],
        "search": ["art-00042", "выплата", "выплата склад", "no such word"],
    }
    assert set(found) == set(Appeals.get_filters()), "each filter has a question"
    lists = {f"{name}={value}": {name: value} for name, values in found.items() for value in values}
    lists |= {f"ordering={one}": {"ordering": one} for one in ORDERINGS}
    return lists | {
        "overdue=true, by due time": {"overdue": "true", "ordering": "next_due_at"},
        "nightly": {"submitted_after": found["submitted_after"][0], "ordering": "submitted_at", "page_size": "200"},
    }


def incident_of(appeal: Appeal) -> int:
    """The number of an incident of this appeal alone."""
    incident, _made = Incident.objects.get_or_create(title="plans", defaults={"created_at": appeal.created_at})
    Appeal.objects.filter(pk=appeal.pk).update(incident=incident)
    return incident.pk


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def main() -> int:
    setup_databases(verbosity=0, interactive=False, keepdb=True, serialized_aliases=set())
    user = User.objects.filter(email__startswith="bench").order_by("id").first()
    assert user, "no scratch database: run benchmarks/api.py --keep first"
    _row, token = ApiToken.objects.create(user, name="plans")
    print(f"{Appeal.objects.count():,} appeals; load {os.getloadavg()[0]:.1f}; milliseconds by EXPLAIN ANALYZE")
    wrong = 0
    for label, query in questions(user).items():
        took, used, whole = explain(api.sql_of(("GET", f"{api.APPEALS}?{urlencode(query)}", None), token))
        wrong += bool(whole)
        told = [*sorted(used), *(f"WHOLE {table}" for table in whole)]
        print(f"{label[:44]:<46}{took:>8.1f}  {', '.join(told)}", flush=True)
    return wrong


def explain(statements: list[str]) -> tuple[float, set[str], set[str]]:
    """Milliseconds of all, the indexes of appeals that they used, and the large tables that they read whole."""
    took, used, whole = 0.0, set[str](), set[str]()
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}", [])
            answer = cursor.fetchone()[0]
        [plan] = json.loads(answer) if isinstance(answer, str) else answer
        took += plan["Planning Time"] + plan["Execution Time"]
        found = nodes(plan["Plan"])
        used |= {name for node in found if (name := str(node.get("Index Name", ""))).startswith("appeal_")}
        whole |= {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"} & LARGE
    return took, used, whole


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
