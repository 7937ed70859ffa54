"""All verbs of the helper. A new one is a request and a function in the file of its family, and a row here."""

from __future__ import annotations

import functools
import operator
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ovis.node.privileged import (
    access,
    adapters,
    devices,
    guest_state,
    hook_scripts,
    host_facts,
    iscsi,
    lldp,
    loops,
    lvm,
    memory,
    mirrors,
    mounts,
    multipath,
    network,
    page_merging,
    rbd,
)
from ovis.node.privileged.protocol import Request
from ovis.node.privileged.work import Work

Verb = Callable[[Any, Work], Awaitable[Any]]

VERBS: dict[type[Request[Any]], Verb] = {
    mounts.Mount: mounts.mount,
    mounts.Unmount: mounts.unmount,
    access.CheckAccess: access.check_access,
    lvm.RunLvm: lvm.run_lvm,
    iscsi.DiscoverTargets: iscsi.discover_targets,
    iscsi.LogIn: iscsi.log_in,
    iscsi.LogOut: iscsi.log_out,
    iscsi.SetInterface: iscsi.set_interface,
    iscsi.RescanSessions: iscsi.rescan_sessions,
    multipath.ReadMultipath: multipath.read_multipath,
    multipath.ResizeMap: multipath.resize_map,
    multipath.DropPartitions: multipath.drop_partitions,
    multipath.RereadMultipath: multipath.reread_multipath,
    multipath.RemoveMap: multipath.remove_map,
    loops.AttachLoop: loops.attach_loop,
    loops.DetachLoop: loops.detach_loop,
    rbd.MapRbd: rbd.map_rbd,
    rbd.UnmapRbd: rbd.unmap_rbd,
    adapters.RunAdapter: adapters.run_adapter,
    devices.ReadDevice: devices.read_device,
    devices.ReadBlocks: devices.read_blocks,
    devices.OwnDevice: devices.own_device,
    devices.ZeroDevice: devices.zero_device,
    devices.DiscardDevice: devices.discard_device,
    devices.MakeMaster: devices.make_master,
    devices.CheckMaster: devices.check_master,
    devices.ReadDmsetup: devices.read_dmsetup,
    devices.DropDevice: devices.drop_device,
    devices.RescanHosts: devices.rescan_hosts,
    devices.SettleDevices: devices.settle_devices,
    network.ChangeNetworks: network.change_networks,
    network.ConfirmNetworks: network.confirm_networks,
    network.SaveNetworks: network.save_networks,
    network.RestoreNetworks: network.restore_networks,
    network.SetVirtualFunctions: network.set_virtual_functions,
    lldp.ReadLldp: lldp.read_lldp,
    mirrors.MirrorNetworks: mirrors.mirror_networks,
    host_facts.ReadHostFacts: host_facts.read_host_facts,
    page_merging.TunePageMerging: page_merging.tune_page_merging,
    memory.TuneMemory: memory.tune_memory,
    guest_state.ReadGuestState: guest_state.read_guest_state,
    guest_state.WriteGuestState: guest_state.write_guest_state,
    guest_state.RemoveGuestState: guest_state.remove_guest_state,
    hook_scripts.RunHooks: hook_scripts.run_hooks,
}

decode_request: Callable[[msgspec.Raw], Request[Any]] = msgspec.msgpack.Decoder(
    functools.reduce(operator.or_, VERBS)
).decode
