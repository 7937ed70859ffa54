"""What keeps a host from its work is told with a reason."""

from typing import Any

import pytest

from ovis.client.types import StorageDomainVitals
from ovis.node.observing.health import report

DOMAIN = "d0000000-0000-4000-8000-000000000000"


class Thing:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def host(**changes: Any) -> Any:
    reading = Thing(at=100.0, bad_multipaths={})
    usual = {
        "hypervisor": Thing(connected=True),
        "is_ready": True,
        "policy_fails": False,
        "vms": [],
        "host": Thing(reading=reading),
        "config": Thing(vms=Thing(sample_seconds=15)),
        "storage_vitals": dict,
    }
    return Thing(**{**usual, **changes})


def vitals(*, valid: bool) -> dict[str, StorageDomainVitals]:
    found = StorageDomainVitals(
        acquired=valid, code=0 if valid else 358, delay=0.0, last_check=1.0, valid=valid, version=5, actual=True
    )
    return {DOMAIN: found}


def test_a_host_that_works() -> None:
    found = report(host(storage_vitals=lambda: vitals(valid=True)), now=lambda: 110.0)
    assert (found.health, found.findings) == ("ok", [])


@pytest.mark.parametrize(
    ("changes", "health", "check", "reason"),
    [
        ({"hypervisor": Thing(connected=False)}, "failing", "libvirt", "systemctl status"),
        ({"is_ready": False}, "failing", "recovery", "99"),
        ({"policy_fails": True}, "degraded", "policy", "policy show"),
        ({"vms": [Thing(name="web", responding=False)]}, "degraded", "vms", "no answer about web"),
        ({"host": Thing(reading=None)}, "degraded", "measuring", "not been measured"),
        ({"host": Thing(reading=Thing(at=10.0, bad_multipaths={}))}, "degraded", "measuring", "100 s ago"),
        ({"host": Thing(reading=Thing(at=100.0, bad_multipaths={"a": 1}))}, "degraded", "multipath", "multipath -ll"),
        ({"storage_vitals": lambda: vitals(valid=False)}, "degraded", "storage", "error 358"),
    ],
)
def test_each_fault_has_a_reason(changes: dict[str, Any], health: str, check: str, reason: str) -> None:
    found = report(host(**changes), now=lambda: 110.0)
    assert found.health == health
    assert [one.check for one in found.findings] == [check]
    assert reason in found.findings[0].reason


def test_the_worst_counts() -> None:
    found = report(host(policy_fails=True, is_ready=False), now=lambda: 110.0)
    assert found.health == "failing"
    assert len(found.findings) == 2
