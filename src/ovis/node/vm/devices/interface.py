"""Network cards."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.client.types import (
    BandwidthParams,
    VmDeviceType,
    VmInterfaceDevice,
    VmInterfaceDeviceFilterParameters,
    VmInterfaceDeviceModel,
    VmInterfaceDeviceSpecParams,
    VmInterfaceDeviceType,
)
from ovis.node.errors import BadParameter
from ovis.node.vm.devices import address
from ovis.node.vm.devices.address import Address
from ovis.node.vm.devices.board import Board
from ovis.node.vm.devices.description import LOWER, UP_DOWN, WHOLE, YES_NO, Described, Device, at, many, one


@dataclass(frozen=True, kw_only=True)
class FilterParameter(Described):
    tag = "parameter"
    name: str = at("@name")
    value: str = at("@value")


@dataclass(frozen=True, kw_only=True)
class Bandwidth(Described):
    """`average` and `peak` in kB per second, `burst` in KiB."""

    tag = "bandwidth"
    average: int | None = at("@average", WHOLE, default=None)
    peak: int | None = at("@peak", WHOLE, default=None)
    burst: int | None = at("@burst", WHOLE, default=None)


@dataclass(frozen=True, kw_only=True)
class Interface(Device):
    """`kind`: bridge, network, hostdev, user, vdpa …; `host_name` is the host's side (vnet0) of a running card."""

    tag = "interface"
    kind: str = at("@type")
    managed: bool | None = at("@managed", YES_NO, default=None)
    mac: str | None = at("mac/@address", LOWER, default=None)
    bridge: str | None = at("source/@bridge", default=None)
    network: str | None = at("source/@network", default=None)
    host_address: Address | None = one("source/address", Address)
    host_name: str | None = at("target/@dev", default=None)
    model: str | None = at("model/@type", default=None)
    driver: str | None = at("driver/@name", default=None)
    queues: int | None = at("driver/@queues", WHOLE, default=None)
    link_up: bool | None = at("link/@state", UP_DOWN, default=None)
    isolated: bool | None = at("port/@isolated", YES_NO, default=None)
    mtu: int | None = at("mtu/@size", WHOLE, default=None)
    inbound: Bandwidth | None = one("bandwidth/inbound", Bandwidth)
    outbound: Bandwidth | None = one("bandwidth/outbound", Bandwidth)
    filter: str | None = at("filterref/@filter", default=None)
    filter_parameters: tuple[FilterParameter, ...] = many("filterref/parameter", FilterParameter)
    boot_order: int | None = at("boot/@order", WHOLE, default=None)
    address: Address | None = one("address", Address)


def build(given: VmInterfaceDevice, _board: Board, field: str) -> list[Device]:
    """Raises BadParameter."""
    if not given.network:
        raise BadParameter(f"{field}.network", "is missing; a card is connected to a bridge of the host")
    spec = given.spec_params
    return [
        Interface(
            kind="bridge",
            mac=given.mac_addr,
            bridge=given.network,
            model="virtio" if given.nic_model is VmInterfaceDeviceModel.PV else given.nic_model.value,
            link_up=given.link_active,
            inbound=_bandwidth(spec.inbound) if spec else None,
            outbound=_bandwidth(spec.outbound) if spec else None,
            filter=given.filter or None,
            filter_parameters=filter_parameters(given.filter_parameters) if given.filter else (),
            boot_order=given.boot_order or None,
            address=address.from_parameters(given.address),
        )
    ]


def filter_parameters(given: list[VmInterfaceDeviceFilterParameters]) -> tuple[FilterParameter, ...]:
    return tuple(FilterParameter(name=parameter.name, value=parameter.value) for parameter in given)


def _bandwidth(given: BandwidthParams | None) -> Bandwidth | None:
    if given is None:
        return None
    return Bandwidth(
        average=given.average_kb_per_second,
        peak=given.peak_kb_per_second or None,
        burst=given.burst >> 10 or None,
    )


def _told_bandwidth(found: Bandwidth | None) -> BandwidthParams | None:
    if found is None or found.average is None:
        return None
    return BandwidthParams(
        average_kb_per_second=found.average, peak_kb_per_second=found.peak or 0, burst=(found.burst or 0) << 10
    )


def tell(card: Interface) -> VmInterfaceDevice:
    spec = None
    if card.inbound or card.outbound:
        spec = VmInterfaceDeviceSpecParams(
            inbound=_told_bandwidth(card.inbound), outbound=_told_bandwidth(card.outbound)
        )
    return VmInterfaceDevice(
        address=address.tell(card.address),
        alias=card.alias,
        boot_order=card.boot_order,
        device=VmInterfaceDeviceType(card.kind),
        device_type=VmDeviceType.INTERFACE,
        filter=card.filter,
        filter_parameters=[
            VmInterfaceDeviceFilterParameters(name=parameter.name, value=parameter.value)
            for parameter in card.filter_parameters
        ],
        link_active=card.link_up is not False,
        mac_addr=card.mac or "",
        network=card.bridge or card.network,
        nic_model=VmInterfaceDeviceModel.PV if card.model == "virtio" else VmInterfaceDeviceModel(card.model or ""),
        spec_params=spec,
    )
