from __future__ import annotations

from typing import Any

from ovis.shell.top.figures import Reader

VM: dict[str, Any] = {"vmId": "a", "vmName": "web", "status": "Up", "cpuUser": 40.0, "cpuSys": 2.5, "memUsage": 37}


def with_network(at: float, received: int, sent: int) -> dict[str, Any]:
    cards = {"vnet0": {"rx": received, "tx": sent, "sampleTime": at}, "vnet1": {"rx": 0, "tx": 0, "sampleTime": at}}
    return {**VM, "network": cards}


def test_the_host_line_has_load_memory_and_vms() -> None:
    reader = Reader({"cpuThreads": 8, "memSize": 16 << 30}, "here")
    host = reader.look({"cpuIdle": 75.0, "cpuLoad": 1.5, "memUsed": 40, "swapTotal": 10, "swapFree": 4}, [VM]).host
    assert (host.name, host.cpus, host.cpu_percent, host.load) == ("here", 8, 25.0, 1.5)
    assert (host.memory, host.memory_percent, host.swap_used, host.vms, host.vms_up) == (16 << 30, 40, 6, 1, 1)


def test_network_rates_come_from_two_samples() -> None:
    reader = Reader({}, "here")
    assert reader.look({}, [with_network(10, 1000, 100)]).vms[0].net_in is None
    vm = reader.look({}, [with_network(12, 5000, 300)]).vms[0]
    assert (vm.net_in, vm.net_out) == (2000, 100)


def test_a_look_between_two_samples_keeps_the_rate() -> None:
    reader = Reader({}, "here")
    reader.look({}, [with_network(10, 1000, 100)])
    reader.look({}, [with_network(12, 5000, 300)])
    assert reader.look({}, [with_network(12, 5000, 300)]).vms[0].net_in == 2000


def test_a_restarted_vm_has_no_rate_at_first() -> None:
    reader = Reader({}, "here")
    reader.look({}, [with_network(10, 1000, 100)])
    reader.look({}, [with_network(12, 5000, 300)])
    assert reader.look({}, [with_network(14, 10, 10)]).vms[0].net_in is None


def test_a_vm_that_is_gone_is_forgotten() -> None:
    reader = Reader({}, "here")
    reader.look({}, [with_network(10, 1000, 100)])
    reader.look({}, [])
    assert reader.look({}, [with_network(12, 5000, 300)]).vms[0].net_in is None


def test_a_vm_without_figures_has_none() -> None:
    vm = Reader({}, "here").look({}, [{"vmId": "a", "status": "Down"}]).vms[0]
    assert (vm.name, vm.cpu_percent, vm.memory, vm.disk_read, vm.address) == ("a", None, None, None, "")


def test_the_address_is_one_that_can_be_reached() -> None:
    faces = [{"inet": ["127.0.0.1"], "inet6": ["::1"]}, {"inet": ["192.0.2.7"], "inet6": ["fe80::1", "2001:db8::1"]}]
    assert Reader({}, "here").look({}, [{**VM, "netIfaces": faces}]).vms[0].address == "192.0.2.7"
    assert Reader({}, "here").look({}, [{**VM, "guestIPs": "fe80::1 2001:db8::1"}]).vms[0].address == "2001:db8::1"
