"""Importing this module fills the registry: every module that answers verbs stands here.

What not every host needs (storage, hot-plugging, backups) is loaded at its first call, so its verbs are listed; a test
compares.
"""

from ovis.node import jobs_verbs as jobs
from ovis.node.console import verbs as console
from ovis.node.guest import verbs as guest
from ovis.node.host import verbs as host
from ovis.node.registry import late
from ovis.node.vm import verbs as vm
from ovis.node.vm.migration import verbs as migration

# module -> class -> verbs
LATE: dict[str, dict[str, tuple[str, ...]]] = {
    "ovis.node.exports.verbs": {"OVA": ("abort", "export")},
    "ovis.node.host.fencing_verbs": {"Host": ("fenceNode",)},
    "ovis.node.host.hosted_engine_verbs": {"Host": ("setHaMaintenanceMode",)},
    "ovis.node.host.host_device_verbs": {
        "Host": ("hostdevChangeNumvfs", "hostdevListByCaps", "hostdevReattach"),
    },
    "ovis.node.host.neighbour_verbs": {"Host": ("getLldp",)},
    "ovis.node.host.page_merging": {"Host": ("setKsmTune",)},
    "ovis.node.host.secrets": {"Host": ("registerSecrets", "unregisterSecrets")},
    "ovis.node.network.verbs": {
        "Host": ("getNetworkCapabilities", "setSafeNetworkConfig", "setupNetworks"),
    },
    "ovis.node.policy.verbs": {
        "Host": ("setMOMPolicy", "setMOMPolicyParameters"),
        "Policy": ("show", "whatIf"),
    },
    "ovis.node.storage.connections.verbs": {
        "ISCSIConnection": ("discoverSendTargets",),
        "StoragePool": ("connectStorageServer", "disconnectStorageServer"),
    },
    "ovis.node.storage.domains.monitor_verbs": {
        "Host": ("getStorageRepoStats", "startMonitoringDomain", "stopMonitoringDomain"),
    },
    "ovis.node.storage.domains.verbs": {
        "Host": ("getStorageDomains",),
        "StorageDomain": (
            "activate",
            "attach",
            "create",
            "deactivate",
            "detach",
            "dump",
            "extend",
            "format",
            "getFileStats",
            "getImages",
            "getInfo",
            "getStats",
            "getVolumes",
            "resizePV",
            "setDescription",
            "validate",
        ),
    },
    "ovis.node.storage.images.verbs": {
        "Image": (
            "cloneStructure",
            "delete",
            "deleteVolumes",
            "download",
            "getVolumes",
            "move",
            "prepare",
            "reconcileVolumeChain",
            "syncData",
            "teardown",
            "upload",
        ),
        "StoragePool": ("finalizeMerge", "prepareMerge", "reduceVolume"),
    },
    "ovis.node.storage.jobs.verbs": {
        "SDM": (
            "add_bitmap",
            "amend_volume",
            "clear_bitmaps",
            "copy_data",
            "merge",
            "move_domain_device",
            "reduce_domain",
            "remove_bitmap",
            "sparsify_volume",
            "update_volume",
        ),
    },
    "ovis.node.storage.leases.verbs": {
        "Lease": ("create", "delete", "fence", "info", "rebuild_leases", "status"),
    },
    "ovis.node.storage.devices.verbs": {"Host": ("getDeviceList", "getDevicesVisibility")},
    "ovis.node.storage.lvm.verbs": {
        "Host": ("getLVMVolumeGroups",),
        "LVMVolumeGroup": ("create", "getInfo", "remove"),
    },
    "ovis.node.storage.managed.verbs": {"ManagedVolume": ("attach_volume", "detach_volume", "volumes_info")},
    "ovis.node.storage.pool.host_verbs": {
        "Host": ("getConnectedStoragePools",),
    },
    "ovis.node.storage.nbd.verbs": {"NBD": ("start_server", "stop_server")},
    "ovis.node.storage.pool.verbs": {
        "StoragePool": (
            "connect",
            "create",
            "destroy",
            "disconnect",
            "getBackedUpVmsInfo",
            "getBackedUpVmsList",
            "getDomainsContainingImage",
            "getInfo",
            "getSpmStatus",
            "reconstructMaster",
            "refresh",
            "removeVM",
            "setDescription",
            "spmStart",
            "spmStop",
            "switchMaster",
            "updateVMs",
            "upgrade",
        ),
    },
    "ovis.node.storage.tasks.verbs": {
        "Host": ("getAllTasks", "getAllTasksInfo", "getAllTasksStatuses"),
        "Task": ("clear", "getInfo", "getStatus", "revert", "stop"),
    },
    "ovis.node.storage.volumes.verbs": {
        "Volume": (
            "copy",
            "create",
            "delete",
            "extendSize",
            "getInfo",
            "getQemuImageInfo",
            "getSize",
            "measure",
            "refresh",
            "setDescription",
            "setLegality",
            "teardown",
            "verify_untrusted",
        ),
    },
    "ovis.node.storage.transfers.verbs": {
        "Host": ("add_image_ticket", "extend_image_ticket", "get_image_ticket", "remove_image_ticket"),
    },
    "ovis.node.imports.verbs": {
        "Host": (
            "abortV2VJob",
            "convertExternalVm",
            "convertExternalVmFromOva",
            "deleteV2VJob",
            "getConvertedVm",
            "getExternalVMNames",
            "getExternalVMs",
            "getExternalVmFromOva",
        ),
    },
    "ovis.node.vm.backup.verbs": {
        "VM": (
            "backup_info",
            "delete_checkpoints",
            "dump_checkpoint",
            "list_checkpoints",
            "redefine_checkpoints",
            "start_backup",
            "stop_backup",
        ),
    },
    "ovis.node.vm.disks.verbs": {
        "VM": (
            "diskReplicateFinish",
            "diskReplicateStart",
            "diskSizeExtend",
            "getDiskAlignment",
            "merge",
            "refresh_disk",
            "seal",
            "snapshot",
        ),
    },
    "ovis.node.vm.external_data_verbs": {
        "VM": (
            "getExternalData",
            "setDestroyOnReboot",
        ),
    },
    "ovis.node.vm.hotplug.verbs": {
        "VM": (
            "changeCD",
            "changeFloppy",
            "hotplugDisk",
            "hotplugHostdev",
            "hotplugLease",
            "hotplugMemory",
            "hotplugNic",
            "hotunplugDisk",
            "hotunplugHostdev",
            "hotunplugLease",
            "hotunplugMemory",
            "hotunplugNic",
            "updateDevice",
        ),
    },
    "ovis.node.vm.tuning.verbs": {
        "Host": ("getAllVmIoTunePolicies",),
        "VM": (
            "getIoTune",
            "getIoTunePolicy",
            "setBalloonTarget",
            "setCpuTunePeriod",
            "setCpuTuneQuota",
            "setIoTune",
            "setNumberOfCpus",
            "updateVmPolicy",
        ),
    },
    "ovis.node.vm.xml_verbs": {
        "VM": ("getXmlDifference",),
    },
}

for module, classes in LATE.items():
    late(module, (f"{name}.{verb}" for name, verbs in classes.items() for verb in verbs))

__all__ = [
    "console",
    "guest",
    "host",
    "jobs",
    "migration",
    "vm",
]
