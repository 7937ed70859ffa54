import logging
from typing import Any

import msgspec
import pytest

from ovis.client.types import LoggingLevel
from ovis.client.verbs import HostEchoArgs, HostSetLogLevelArgs
from ovis.node.errors import BadParameter
from ovis.node.host import verbs
from ovis.node.registry import HANDLERS


class Measured:
    encoded = msgspec.Raw(b'{"vmCount":3}')

    def told_stats(self) -> msgspec.Raw:
        return self.encoded


class Node:
    host = Measured()

    def client_reached_us(self) -> None:
        self.reached = True


ANY_NODE: Any = Node()


def test_the_verbs_of_the_host_are_registered() -> None:
    names = ("ping", "ping2", "echo", "getStats", "getCapabilities", "getHardwareInfo", "setLogLevel")
    assert {f"Host.{name}" for name in names} <= HANDLERS.keys()


def test_statistics_are_sent_as_they_were_encoded() -> None:
    assert HANDLERS["Host.getStats"](ANY_NODE, None) is Measured.encoded


@pytest.mark.parametrize("name", ["ping", "confirmConnectivity"])
def test_a_client_that_comes_confirms_a_change_of_networks(name: str) -> None:
    node: Any = Node()
    HANDLERS[f"Host.{name}"](node, None)
    assert node.reached


def test_echo_sends_back_what_came() -> None:
    assert verbs.echo(ANY_NODE, HostEchoArgs(message="gr\u00fc\u00df dich")) == "gr\u00fc\u00df dich"


def test_pings_answer_nothing() -> None:
    assert HANDLERS["Host.ping2"](ANY_NODE, None) is None


def test_the_log_level_changes_and_a_wrong_name_is_refused() -> None:
    logger = logging.getLogger("ovis.node.host.verbs_test")
    verbs.set_log_level(ANY_NODE, HostSetLogLevelArgs(level=LoggingLevel.ERROR, name=logger.name))
    assert logger.level == logging.ERROR
    with pytest.raises(BadParameter):
        verbs.set_log_level(ANY_NODE, HostSetLogLevelArgs(level=LoggingLevel.ERROR, name="nobody"))
