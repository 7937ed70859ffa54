"""The verbs of the node API as asynchronous methods, a class for each class of the schema.

Made from the schema by `python -m ovis.generate python`: edit the schema, not this file.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from ovis.client.types import *  # noqa: F403
from ovis.client.verbs import *  # noqa: F403
from ovis.client.async_calls import Call


class Group:
    """The verbs of one class, sent through one connection."""

    def __init__(self, call: Call) -> None:
        self._call = call


class HostVerbs(Group):
    """The machine the agent runs on: its hardware, networks, block devices, secrets and tuning, and lists over
    everything it runs.
    """

    async def abort_v2_v_job(
        self,
        jobid: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks a running import of a foreign VM to stop. The call returns before the import process has ended; the job
        then shows as aborted and the target volumes keep whatever was written.

        jobid: Import job as named when the conversion was started.
        Errors: NoSuchJob.
        """
        await self._call("Host.abortV2VJob", HostAbortV2VJobArgs(jobid=jobid), deadline)

    async def add_image_ticket(
        self,
        ticket: ImageTicket,
        *,
        deadline: float | None = None,
    ) -> None:
        """Gives the local image transfer daemon a ticket, which permits its bearer to read or write one volume for a
        limited time. A ticket with the same id is replaced. After a failure no access is granted.

        ticket: What may be transferred, in which directions and for how long.
        Errors: ImageTicketsError, ImageDaemonError, ImageDaemonUnsupported.
        """
        await self._call("Host.add_image_ticket", HostAddImageTicketArgs(ticket=ticket), deadline)

    async def confirm_connectivity(
        self,
        *,
        deadline: float | None = None,
    ) -> None:
        """Tells the host that its engine can still reach it. A network change that waits for this proof is kept;
        without it the change is rolled back when its time is over.
        """
        await self._call("Host.confirmConnectivity", HostConfirmConnectivityArgs(), deadline)

    async def convert_external_vm(
        self,
        uri: str,
        username: str,
        password: str,
        vminfo: ExternalVmParams,
        jobid: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts the import of a VM from a foreign hypervisor (VMware, Xen or plain KVM) into volumes that already
        exist. The copy runs as a background job whose progress appears in the host statistics. A failed import
        leaves the target volumes with unusable content.

        uri: Libvirt URI of the foreign hypervisor, starting with vpx, esx, xen or qemu; without a password, and
            without options that make the library run programs.
        username: Account used to log in to the foreign hypervisor; empty when the URI needs none.
        password: Password of that account; empty when the login works with SSH keys.
        vminfo: Name of the foreign VM and the volumes that receive its disks.
        jobid: New id chosen by the caller, used to follow, abort and delete the import.
        Errors: JobExists, InvalidParameter, UnsupportedOperation, UnexpectedError.
        """
        await self._call("Host.convertExternalVm", HostConvertExternalVmArgs(uri=uri, username=username, password=password, vminfo=vminfo, jobid=jobid), deadline)

    async def convert_external_vm_from_ova(
        self,
        ova_path: str,
        vminfo: ExternalVmParams,
        jobid: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts the import of a VM from an OVA archive or directory on this host into volumes that already exist. The
        archive is checked before the call returns: one that is damaged, links to other files or announces false
        sizes is refused. The copy runs as a background job whose progress appears in the host statistics.

        ova_path: Absolute path of the OVA file or unpacked directory in the host's file system.
        vminfo: Name for the imported VM and the volumes that receive its disks.
        jobid: New id chosen by the caller, used to follow, abort and delete the import.
        Errors: JobExists, InvalidParameter, UnsupportedOperation, UnexpectedError.
        """
        await self._call("Host.convertExternalVmFromOva", HostConvertExternalVmFromOvaArgs(ova_path=ova_path, vminfo=vminfo, jobid=jobid), deadline)

    async def delete_v2_v_job(
        self,
        jobid: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Forgets an import job that has ended, together with its recorded result. A job that still runs is left
        untouched and the call answers an error.

        jobid: Import job that is done, failed or aborted.
        Errors: NoSuchJob, JobNotDone.
        """
        await self._call("Host.deleteV2VJob", HostDeleteV2VJobArgs(jobid=jobid), deadline)

    async def dumpxmls(
        self,
        vm_list: list[UUID] = [],
        *,
        deadline: float | None = None,
    ) -> StringMap:
        """Returns the current libvirt domain XML of VMs on this host, as libvirt sees it now rather than as it was
        requested. VMs without a running domain are left out.

        vm_list: Ids of the VMs wanted; an empty list means all VMs of the host.
        Returns: Domain XML texts keyed by VM id.
        """
        result: StringMap = await self._call("Host.dumpxmls", HostDumpxmlsArgs(vm_list=vm_list), deadline)
        return result

    async def echo(
        self,
        message: str,
        *,
        deadline: float | None = None,
    ) -> str:
        """Sends back the text it was given, so that a client can test the whole request path.

        message: Any text; it is not interpreted or stored.
        Returns: Exactly the text that was sent.
        """
        result: str = await self._call("Host.echo", HostEchoArgs(message=message), deadline)
        return result

    async def extend_image_ticket(
        self,
        uuid: UUID,
        timeout: UInt,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets a new end for an image ticket, counted from now, so that a long transfer may go on. After a failure the
        old end stays.

        uuid: Ticket to prolong, as named when it was added.
        timeout: Seconds from now after which the ticket expires. [s]
        Errors: ImageTicketsError, ImageDaemonError, ImageDaemonUnsupported.
        """
        await self._call("Host.extend_image_ticket", HostExtendImageTicketArgs(uuid=uuid, timeout=timeout), deadline)

    async def fence_node(
        self,
        addr: str,
        port: Annotated[int, Meta(ge=0, le=65535)],
        agent: str,
        username: str,
        password: str,
        action: FenceNodeAction,
        secure: bool = False,
        options: str = '',
        policy: FencingPolicy | None = None,
        *,
        deadline: float | None = None,
    ) -> FenceNodeResult:
        """Runs a fence agent on this host against the power controller of another machine, to query or change its
        power. Power changes are started and not waited for: the caller polls with status. The policy can make the
        host skip a change while the other machine is evidently alive. After an error the power state of the target
        is unknown.

        addr: Host name or IP address of the power management controller.
        port: TCP or UDP port of the controller; 0 means the default of the fence agent.
        agent: Kind of controller, which is the fence agent's program name without the fence_ prefix, such as
            ipmilan.
        username: Account on the power management controller.
        password: Password of the controller's account.
        action: Whether to query the power or to change it.
        secure: Whether the agent connects to the controller over SSH or TLS.
        options: Further agent options as key=value, one per line or separated by commas; empty for none.
        policy: Conditions under which a power change is skipped; absent means never skip.
        Returns: Power seen, or whether the power change was started or skipped.
        Errors: UnsupportedFenceAgent, InvalidParameter, ResourceUnavailable, UnexpectedError.
        """
        result: FenceNodeResult = await self._call("Host.fenceNode", HostFenceNodeArgs(addr=addr, port=port, agent=agent, username=username, password=password, action=action, secure=secure, options=options, policy=policy), deadline)
        return result

    async def get_image_ticket(
        self,
        uuid: UUID,
        *,
        deadline: float | None = None,
    ) -> ImageTicketInfo:
        """Asks the local image transfer daemon for the state of one ticket, including how much was transferred under
        it.

        uuid: Ticket to look at, as named when it was added.
        Returns: The ticket with the time it was granted and its transfer progress.
        Errors: ImageTicketsError, ImageDaemonError, ImageDaemonUnsupported.
        """
        result: ImageTicketInfo = await self._call("Host.get_image_ticket", HostGetImageTicketArgs(uuid=uuid), deadline)
        return result

    async def get_all_tasks(
        self,
        *,
        deadline: float | None = None,
    ) -> TasksDetails:
        """Lists the storage tasks this host knows as pool manager, with both their state and their description. On a
        host that is not SPM the list is empty.

        Returns: State and description of each task, keyed by task id.
        """
        result: TasksDetails = await self._call("Host.getAllTasks", HostGetAllTasksArgs(), deadline)
        return result

    async def get_all_tasks_info(
        self,
        *,
        deadline: float | None = None,
    ) -> TasksInfo:
        """Lists what the known storage tasks of the pool manager are about: the verb that started each one and its
        tag. On a host that is not SPM the list is empty.

        Returns: Description of each task, keyed by task id.
        """
        result: TasksInfo = await self._call("Host.getAllTasksInfo", HostGetAllTasksInfoArgs(), deadline)
        return result

    async def get_all_tasks_statuses(
        self,
        *,
        deadline: float | None = None,
    ) -> TasksStatus:
        """Lists how far the known storage tasks of the pool manager are and how they ended. On a host that is not SPM
        the list is empty.

        Returns: State and outcome of each task, keyed by task id.
        """
        result: TasksStatus = await self._call("Host.getAllTasksStatuses", HostGetAllTasksStatusesArgs(), deadline)
        return result

    async def get_all_vm_io_tune_policies(
        self,
        *,
        deadline: float | None = None,
    ) -> BulkIoTunePolicyMap:
        """Reports the disk throttling of all running VMs: the limits the policy allows and the values in force. VMs
        whose values cannot be read are left out.

        Returns: Throttling policy and current values, keyed by VM id.
        """
        result: BulkIoTunePolicyMap = await self._call("Host.getAllVmIoTunePolicies", HostGetAllVmIoTunePoliciesArgs(), deadline)
        return result

    async def get_all_vm_stats(
        self,
        *,
        deadline: float | None = None,
    ) -> list[VmStats]:
        """Returns the latest statistics of every VM on this host, taken from periodic samples. A VM that cannot be
        measured is listed with the values known.

        Returns: One statistics record per VM; the list is empty when the host runs none.
        Errors: HookError.
        """
        result: list[VmStats] = await self._call("Host.getAllVmStats", HostGetAllVmStatsArgs(), deadline)
        return result

    async def get_capabilities(
        self,
        *,
        deadline: float | None = None,
    ) -> VdsmCapabilities:
        """Describes what this host has and can do: processors, memory, NUMA layout, networks, software versions and
        optional features. The engine reads it when a host is activated and after network changes.

        Returns: Hardware, software, networks and features of the host as they are now.
        Errors: HookError.
        """
        result: VdsmCapabilities = await self._call("Host.getCapabilities", HostGetCapabilitiesArgs(), deadline)
        return result

    async def get_connected_storage_pools(
        self,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists the storage pools this host is connected to. A host connects to one pool at most.

        Returns: Ids of connected pools; empty when the host is connected to none.
        """
        result: list[UUID] = await self._call("Host.getConnectedStoragePools", HostGetConnectedStoragePoolsArgs(), deadline)
        return result

    async def get_converted_vm(
        self,
        jobid: UUID,
        *,
        deadline: float | None = None,
    ) -> str:
        """Returns the OVF description that a successful import has produced. The description stays available until the
        job is deleted.

        jobid: Import job that has ended successfully.
        Returns: OVF document describing the converted VM.
        Errors: NoSuchJob, JobNotDone, V2VNoSuchOVF.
        """
        result: str = await self._call("Host.getConvertedVm", HostGetConvertedVmArgs(jobid=jobid), deadline)
        return result

    async def get_device_list(
        self,
        storage_type: BlockDeviceType | None = None,
        guids: list[str] = [],
        check_status: bool = True,
        refresh: bool = True,
        *,
        deadline: float | None = None,
    ) -> list[BlockDeviceInfo]:
        """Lists the multipath block devices the host sees, with their paths and whether they could be used for a
        storage domain. Refreshing rescans the storage buses and checking tests each device with LVM; both can take
        long on hosts with many devices.

        storage_type: Restricts the list to devices reached in this way; absent means all devices.
        guids: Restricts the list to these multipath identifiers; an empty list means all devices.
        check_status: Whether to test with LVM if each device is free; when false every status is reported as
            unknown.
        refresh: Whether to rescan the storage buses first; when false only devices already known are listed.
        Returns: One record per multipath device, in no particular order.
        Errors: BlockDeviceActionError, MultipathReloadError, LVMCommandError, CouldNotRetrievePhysicalVolumeList.
        """
        result: list[BlockDeviceInfo] = await self._call("Host.getDeviceList", HostGetDeviceListArgs(storage_type=storage_type, guids=guids, check_status=check_status, refresh=refresh), deadline)
        return result

    async def get_devices_visibility(
        self,
        guid_list: list[str],
        *,
        deadline: float | None = None,
    ) -> DeviceVisibilityMap:
        """Tells for each multipath device asked about whether this host currently sees it. The storage buses are
        rescanned when a device is missing.

        guid_list: Multipath identifiers of the devices to look for.
        Returns: True or false for each device asked about, keyed by multipath identifier.
        Errors: MultipathReloadError.
        """
        result: DeviceVisibilityMap = await self._call("Host.getDevicesVisibility", HostGetDevicesVisibilityArgs(guid_list=guid_list), deadline)
        return result

    async def get_external_vm_from_ova(
        self,
        ova_path: str,
        *,
        deadline: float | None = None,
    ) -> ExternalVmInfo:
        """Reads the description of a VM from an OVA archive or directory on this host without importing anything.

        ova_path: Absolute path of the OVA file or unpacked directory in the host's file system.
        Returns: The VM that the archive describes, with its disks and networks.
        Errors: V2VNoSuchOVF, InvalidParameter, UnexpectedError.
        """
        result: ExternalVmInfo = await self._call("Host.getExternalVmFromOva", HostGetExternalVmFromOvaArgs(ova_path=ova_path), deadline)
        return result

    async def get_external_vm_names(
        self,
        uri: str,
        username: str,
        password: str,
        *,
        deadline: float | None = None,
    ) -> list[str]:
        """Logs in to a foreign hypervisor and lists the names of its VMs. It is much faster than reading their full
        descriptions.

        uri: Libvirt URI of the foreign hypervisor.
        username: Account used to log in to the foreign hypervisor; empty when the URI needs none.
        password: Password of that account; empty when the login works with SSH keys.
        Returns: Names of all VMs found on the foreign hypervisor.
        Errors: V2VConnectionError, InvalidParameter.
        """
        result: list[str] = await self._call("Host.getExternalVMNames", HostGetExternalVMNamesArgs(uri=uri, username=username, password=password), deadline)
        return result

    async def get_external_vms(
        self,
        uri: str,
        username: str,
        password: str,
        vm_names: list[str] | None = None,
        *,
        deadline: float | None = None,
    ) -> list[ExternalVmInfo]:
        """Logs in to a foreign hypervisor and describes VMs that could be imported. Reading many VMs can take minutes,
        so callers name the ones they need.

        uri: Libvirt URI of the foreign hypervisor.
        username: Account used to log in to the foreign hypervisor; empty when the URI needs none.
        password: Password of that account; empty when the login works with SSH keys.
        vm_names: Names of the VMs to describe; absent or empty means all.
        Returns: Descriptions of the VMs found; names unknown to the hypervisor are left out.
        Errors: V2VConnectionError, InvalidParameter.
        """
        result: list[ExternalVmInfo] = await self._call("Host.getExternalVMs", HostGetExternalVMsArgs(uri=uri, username=username, password=password, vm_names=vm_names), deadline)
        return result

    async def get_hardware_info(
        self,
        *,
        deadline: float | None = None,
    ) -> HardwareInformation:
        """Returns the identity of the machine as its firmware tables (SMBIOS) state it: maker, product, serial number.

        Returns: Firmware identity of the host, with unknown items left out.
        Errors: CannotRetrieveHWInfo.
        """
        result: HardwareInformation = await self._call("Host.getHardwareInfo", HostGetHardwareInfoArgs(), deadline)
        return result

    async def get_jobs(
        self,
        job_type: HostJobType | None = None,
        job_ids: list[UUID] = [],
        *,
        deadline: float | None = None,
    ) -> HostJobInfoMap:
        """Lists background jobs of this host that run or ended recently. An ended job stays visible for an hour unless
        it is deleted earlier; an import, which has a result, until it is deleted.

        job_type: Restricts the answer to jobs of this kind; absent means all kinds.
        job_ids: Restricts the answer to these jobs; an empty list means all. Unknown ids are left out.
        Returns: State of each matching job, keyed by job id.
        """
        result: HostJobInfoMap = await self._call("Host.getJobs", HostGetJobsArgs(job_type=job_type, job_ids=job_ids), deadline)
        return result

    async def get_lldp(
        self,
        filter: StringListMap | None = None,
        *,
        deadline: float | None = None,
    ) -> LldpMap:
        """Returns what neighbouring switches announce to the host's network cards by LLDP. Interfaces on which LLDP is
        off are listed as not enabled.

        filter: Key devices holds the names of the network cards wanted; absent or empty means all cards.
        Returns: Announcements received, keyed by network card name.
        """
        result: LldpMap = await self._call("Host.getLldp", HostGetLldpArgs(filter=filter), deadline)
        return result

    async def get_lvm_volume_groups(
        self,
        storage_type: BlockDeviceType | None = None,
        *,
        deadline: float | None = None,
    ) -> list[VolumeGroupInfo]:
        """Lists the LVM volume groups the host sees, with the physical volumes each one is made of.

        storage_type: Restricts the list to groups on devices reached in this way; absent means all groups.
        Returns: One record per volume group, including groups that are not storage domains.
        Errors: GetVolumeGroupListError, LVMCommandError.
        """
        result: list[VolumeGroupInfo] = await self._call("Host.getLVMVolumeGroups", HostGetLVMVolumeGroupsArgs(storage_type=storage_type), deadline)
        return result

    async def get_network_capabilities(
        self,
        *,
        deadline: float | None = None,
    ) -> VdsmNetworkCapabilities:
        """Returns only the network part of the host capabilities, which is cheaper than reading all of them after a
        network change.

        Returns: Networks, bridges, bonds, VLANs and network cards as they are now.
        """
        result: VdsmNetworkCapabilities = await self._call("Host.getNetworkCapabilities", HostGetNetworkCapabilitiesArgs(), deadline)
        return result

    async def get_network_statistics(
        self,
        *,
        deadline: float | None = None,
    ) -> HostNetworkStatistics:
        """Returns the traffic counters of the host's network interfaces from the latest sample.

        Returns: Counters of each interface and the total of dropped packets.
        """
        result: HostNetworkStatistics = await self._call("Host.getNetworkStatistics", HostGetNetworkStatisticsArgs(), deadline)
        return result

    async def get_stats(
        self,
        *,
        deadline: float | None = None,
    ) -> HostStats:
        """Returns the latest load, memory, network and storage measurements of the host, taken from periodic samples.
        The engine calls it every few seconds.

        Returns: Measurements of the host; fields that need two samples are absent just after the agent started.
        Errors: HookError.
        """
        result: HostStats = await self._call("Host.getStats", HostGetStatsArgs(), deadline)
        return result

    async def get_storage_domains(
        self,
        storagepool_id: UUID | None = None,
        domain_class: StorageDomainImageClass | None = None,
        storage_type: StorageDomainType | None = None,
        remote_path: str | None = None,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists storage domains the host can see, optionally restricted by pool, purpose, storage type or path.
        Without a pool the storage itself is searched, which can take long.

        storagepool_id: Restricts the list to members of this pool, which must be connected; absent or the zero UUID
            means all domains.
        domain_class: Restricts the list to domains of this purpose; absent means any purpose.
        storage_type: Restricts the list to domains on this kind of storage; absent means any kind.
        remote_path: Restricts the list to the domain on this export or path, such as server:/export; absent means
            any path.
        Returns: Ids of the matching storage domains.
        Errors: StoragePoolUnknown, GetStorageDomainListError, StorageDomainTypeError, StorageDomainClassError.
        """
        result: list[UUID] = await self._call("Host.getStorageDomains", HostGetStorageDomainsArgs(storagepool_id=storagepool_id, domain_class=domain_class, storage_type=storage_type, remote_path=remote_path), deadline)
        return result

    async def get_storage_repo_stats(
        self,
        domains: list[UUID] = [],
        *,
        deadline: float | None = None,
    ) -> StorageDomainVitalsMap:
        """Reports the health of the storage domains this host monitors, from the latest periodic check. No storage is
        touched by the call.

        domains: Domains wanted; an empty list means all monitored domains.
        Returns: Result of the latest check of each domain, keyed by domain id.
        """
        result: StorageDomainVitalsMap = await self._call("Host.getStorageRepoStats", HostGetStorageRepoStatsArgs(domains=domains), deadline)
        return result

    async def get_vm_full_list(
        self,
        vm_list: list[UUID] = [],
        *,
        deadline: float | None = None,
    ) -> list[VMFullInfo]:
        """Describes VMs of this host in full: configuration, devices and status.

        vm_list: Ids of the VMs wanted; an empty list means all. Unknown ids are left out.
        Returns: One full description per VM.
        """
        result: list[VMFullInfo] = await self._call("Host.getVMFullList", HostGetVMFullListArgs(vm_list=vm_list), deadline)
        return result

    async def get_vm_list(
        self,
        full_status: bool = False,
        vm_list: list[UUID] = [],
        only_uuid: bool = True,
        *,
        deadline: float | None = None,
    ) -> list[VmInfo]:
        """Lists the VMs of this host, by default as bare ids. The answer never carries the full configuration; the
        verb getVMFullList does.

        full_status: Accepted for old clients and ignored: full descriptions are never included.
        vm_list: Ids of the VMs wanted; an empty list means all. Unknown ids are left out.
        only_uuid: Whether each element is a bare VM id; when false it is an object with id and status.
        Returns: VM ids, or id and status of each VM when onlyUUID is false.
        """
        result: list[VmInfo] = await self._call("Host.getVMList", HostGetVMListArgs(full_status=full_status, vm_list=vm_list, only_uuid=only_uuid), deadline)
        return result

    async def hostdev_change_numvfs(
        self,
        device_name: str,
        numvfs: UInt,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets how many SR-IOV virtual functions a network card offers. All existing functions are removed first, so
        none may be in use. The network configuration counts as unsaved afterwards, and after a failure the card may
        have none.

        device_name: Libvirt name of the card's PCI device, such as pci_0000_05_00_0.
        numvfs: Number of virtual functions to offer; 0 switches them off.
        Errors: InvalidParameter, ResourceUnavailable, ERR_BAD_NIC, ERR_FAILED_IFUP, GeneralException.
        """
        await self._call("Host.hostdevChangeNumvfs", HostHostdevChangeNumvfsArgs(device_name=device_name, numvfs=numvfs), deadline)

    async def hostdev_list_by_caps(
        self,
        caps: list[str] | None = None,
        *,
        deadline: float | None = None,
    ) -> HostDevices:
        """Lists devices of the host that libvirt knows, with the facts needed to pass one through to a VM.

        caps: Kinds of devices wanted, as libvirt names them (pci, usb_device, scsi, scsi_generic, net, mdev,
            nvdimm); absent or empty means all.
        Returns: Devices found, keyed by libvirt device name.
        Errors: HookError.
        """
        result: HostDevices = await self._call("Host.hostdevListByCaps", HostHostdevListByCapsArgs(caps=caps), deadline)
        return result

    async def hostdev_reattach(
        self,
        device_name: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Gives a device that was detached for a VM back to its host driver. It repairs devices left over after a VM
        ended badly.

        device_name: Libvirt name of the device to give back, such as pci_0000_05_00_0.
        Errors: InvalidParameter, GeneralException.
        """
        await self._call("Host.hostdevReattach", HostHostdevReattachArgs(device_name=device_name), deadline)

    async def ping(
        self,
        *,
        deadline: float | None = None,
    ) -> None:
        """Old liveness test that also counts as a connectivity proof for a waiting network change. Clients use ping2
        and confirmConnectivity instead.
        """
        await self._call("Host.ping", HostPingArgs(), deadline)

    async def ping2(
        self,
        *,
        deadline: float | None = None,
    ) -> None:
        """Tests that the agent is alive and answers. It has no side effect on network changes."""
        await self._call("Host.ping2", HostPing2Args(), deadline)

    async def register_secrets(
        self,
        secrets: list[SecretInfo],
        clear: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Hands libvirt the secrets that QEMU needs to open protected storage. They live in memory only and must be
        registered again after a restart. A secret with the same id is replaced; after a failure some of the secrets
        may be registered.

        secrets: Secrets to register, all checked before the first one is stored.
        clear: Whether secrets registered earlier by the agent that are not in this list are removed.
        Errors: BadSecretRequest, SecretRegistrationFailed.
        """
        await self._call("Host.registerSecrets", HostRegisterSecretsArgs(secrets=secrets, clear=clear), deadline)

    async def remove_image_ticket(
        self,
        uuid: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Takes a ticket away from the local image transfer daemon, ending all access under it. A ticket that no
        longer exists counts as removed; the call fails while a transfer is still using it.

        uuid: Ticket to remove, as named when it was added.
        Errors: ImageTicketsError, ImageDaemonError, ImageDaemonUnsupported.
        """
        await self._call("Host.remove_image_ticket", HostRemoveImageTicketArgs(uuid=uuid), deadline)

    async def set_ha_maintenance_mode(
        self,
        mode: HaMaintenanceMode,
        enabled: bool,
        *,
        deadline: float | None = None,
    ) -> None:
        """Switches a maintenance mode of the self-hosted engine on or off. In maintenance the high availability
        service does not start, stop or move the engine VM.

        mode: Whether the setting concerns this host or the whole cluster.
        enabled: True enters the maintenance mode, false leaves it.
        Errors: ResourceUnavailable, SetHAPolicyFailed.
        """
        await self._call("Host.setHaMaintenanceMode", HostSetHaMaintenanceModeArgs(mode=mode, enabled=enabled), deadline)

    async def set_ksm_tune(
        self,
        tuning_params: KsmTuneParams,
        *,
        deadline: float | None = None,
    ) -> None:
        """Tunes the kernel's same-page merging (KSM), which saves memory by sharing equal pages of VMs. Parameters
        that are left out keep their value; after a failure some may have changed.

        tuning_params: Parameters to change, named as in /sys/kernel/mm/ksm.
        Errors: KSMUpdateFailed.
        """
        await self._call("Host.setKsmTune", HostSetKsmTuneArgs(tuning_params=tuning_params), deadline)

    async def set_log_level(
        self,
        level: LoggingLevel,
        name: str = '',
        *,
        deadline: float | None = None,
    ) -> None:
        """Changes how much the agent writes to its log until it restarts.

        level: Least severity that is still written.
        name: Logger the setting applies to; the empty text means the root logger and thereby all others.
        Errors: InvalidParameter.
        """
        await self._call("Host.setLogLevel", HostSetLogLevelArgs(level=level, name=name), deadline)

    async def set_mom_policy(
        self,
        policy: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Replaces the rules by which the host's tuner adjusts memory ballooning, KSM and CPU limits. After a failure
        the former rules stay in force.

        policy: Complete policy in the tuner's (MOM) rule language.
        Errors: MOMPolicyUpdateFailed.
        """
        await self._call("Host.setMOMPolicy", HostSetMOMPolicyArgs(policy=policy), deadline)

    async def set_mom_policy_parameters(
        self,
        key_value_store: Any,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets named variables that the tuning rules of the host use, such as whether ballooning is on. Variables set
        earlier and not named keep their value.

        key_value_store: Object with variable names as keys and numbers, booleans or texts as values.
        Errors: MOMPolicyUpdateFailed.
        """
        await self._call("Host.setMOMPolicyParameters", HostSetMOMPolicyParametersArgs(key_value_store=key_value_store), deadline)

    async def set_safe_network_config(
        self,
        *,
        deadline: float | None = None,
    ) -> None:
        """Saves the running network configuration as the one restored at boot. After a failure the formerly saved
        configuration is still the one that counts.

        Errors: ResourceUnavailable.
        """
        await self._call("Host.setSafeNetworkConfig", HostSetSafeNetworkConfigArgs(), deadline)

    async def setup_networks(
        self,
        networks: SetupNetworkNetConfig | None = None,
        bondings: SetupNetworkBondConfig | None = None,
        options: SetupNetworkOptions | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Creates, changes and removes networks and bonds in one step. Networks not named stay as they are. If the
        step fails, or no proof of connectivity arrives in time, the host returns to the configuration it had
        before. The result lasts until reboot unless it is saved.

        networks: Wanted networks keyed by name; a network marked remove is taken away. Absent means no change.
        bondings: Wanted bonds keyed by name; a bond marked remove is taken away. Absent means no change.
        options: How the change is confirmed and saved; absent means without a connectivity check.
        Errors: ResourceUnavailable, HookError, ERR_LOST_CONNECTION, ERR_BAD_PARAMS, ERR_BAD_ADDR, ERR_BAD_NIC,
            ERR_USED_NIC, ERR_BAD_BONDING, ERR_BAD_VLAN, ERR_BAD_BRIDGE, ERR_FAILED_IFUP, ERR_USED_BOND,
            ERR_OVS_CONNECTION.
        """
        await self._call("Host.setupNetworks", HostSetupNetworksArgs(networks=networks, bondings=bondings, options=options), deadline)

    async def start_monitoring_domain(
        self,
        sd_uuid: UUID,
        host_id: Annotated[int, Meta(ge=1, le=2000)],
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts the periodic check of a storage domain that belongs to no connected pool, and claims the host id in
        its lock space. The claim happens in the background and can take over a minute; getStorageRepoStats shows
        when it holds.

        sd_uuid: Storage domain to watch; its storage connection should already exist.
        host_id: Number under which this host takes part in the domain's locking, unique among all hosts using it.
        Errors: InvalidParameterException.
        """
        await self._call("Host.startMonitoringDomain", HostStartMonitoringDomainArgs(sd_uuid=sd_uuid, host_id=host_id), deadline)

    async def stop_monitoring_domain(
        self,
        sd_uuid: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ends the periodic check of a storage domain and gives the host id in its lock space back. Domains of the
        connected pool cannot be dropped this way.

        sd_uuid: Storage domain that shall no longer be watched.
        Errors: StorageDomainIsMemberOfPool.
        """
        await self._call("Host.stopMonitoringDomain", HostStopMonitoringDomainArgs(sd_uuid=sd_uuid), deadline)

    async def unregister_secrets(
        self,
        uuids: list[UUID],
        *,
        deadline: float | None = None,
    ) -> None:
        """Removes secrets from libvirt. Ids that are not registered count as removed; running VMs keep the storage
        they have open.

        uuids: Ids of the secrets to remove, as given when they were registered.
        Errors: BadSecretRequest, SecretUnregistrationFailed.
        """
        await self._call("Host.unregisterSecrets", HostUnregisterSecretsArgs(uuids=uuids), deadline)


class ImageVerbs(Group):
    """An image is a disk as the engine knows it: the chain of volumes on one storage domain that together hold the
    disk's data. An image with one volume has no snapshots.
    """

    async def clone_structure(
        self,
        image_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        dst_sd_uuid: UUID,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that creates the same chain of volumes, without data, in another domain; the first half of
        moving a disk while its VM runs. A failed task removes what it made.

        image_id: Image whose chain is reproduced; the new one has the same id.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the existing image.
        dst_sd_uuid: Domain in which the empty chain is made.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, ImageDoesNotExistInSD,
            InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.cloneStructure", ImageCloneStructureArgs(image_id=image_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, dst_sd_uuid=dst_sd_uuid), deadline)
        return result

    async def delete(
        self,
        image_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        post_zero: bool = False,
        force: bool = False,
        discard: bool = False,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Deletes a disk with all its volumes. The image disappears from the domain's lists at once; a task then wipes
        and removes the data. An image that other disks build on is refused unless force is given. After a failure
        remains keep the mark of a removed image.

        image_id: Image that is deleted.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the image.
        post_zero: True overwrites the removed data with zeros, for disks that hold secrets; ignored on file
            storage. Engines send it as text.
        force: True deletes a template even if disks build on it, and remains of broken images. Engines send it as
            text.
        discard: True tells block storage, before a volume is removed, that its blocks are free; storage without
            discard support ignores it.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, ImageDoesNotExistInSD,
            ImageDeleteError, CannotDeleteSharedVolume, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.delete", ImageDeleteArgs(image_id=image_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, post_zero=post_zero, force=force, discard=discard), deadline)
        return result

    async def delete_volumes(
        self,
        image_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        volume_list: list[UUID],
        post_zero: bool = False,
        force: bool = False,
        discard: bool = False,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that deletes several volumes of one image, used after a merge. Without force, volumes that
        others build on are refused. On a failure some of the volumes may be gone; the rest stays, and the failed
        one is marked illegal.

        image_id: Image to which all the volumes belong.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the image.
        volume_list: Volumes to delete, in the order in which they go.
        post_zero: True overwrites the removed data with zeros, for disks that hold secrets; ignored on file
            storage. Engines send it as text.
        force: True skips the checks that protect volumes which others depend on. Engines send it as text.
        discard: True tells block storage, before a volume is removed, that its blocks are free; storage without
            discard support ignores it.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, CannotDeleteVolume,
            InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.deleteVolumes", ImageDeleteVolumesArgs(image_id=image_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, volume_list=volume_list, post_zero=post_zero, force=force, discard=discard), deadline)
        return result

    async def download(
        self,
        method_args: ImageSharingMethodArgs,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        volume_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that fetches data from a URL into an existing volume, replacing its contents. After a failure
        the contents are undefined.

        method_args: Where the data comes from.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the image.
        image_id: Image that receives the data.
        volume_id: Volume that receives the data. When left out, the image's leaf is used.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, InvalidParameterException,
            AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.download", ImageDownloadArgs(method_args=method_args, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id), deadline)
        return result

    async def get_volumes(
        self,
        image_id: UUID,
        storagedomain_id: UUID,
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists the volumes that belong to an image.

        image_id: Image whose volumes are wanted.
        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the image.
        Returns: Ids of the volumes, in no particular order; empty when the image has none here.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError, ImagePathError,
            ResourceTimeout.
        """
        result: list[UUID] = await self._call("Image.getVolumes", ImageGetVolumesArgs(image_id=image_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id), deadline)
        return result

    async def move(
        self,
        image_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        dst_sd_uuid: UUID,
        operation: ImageMoveOperationId,
        post_zero: bool = False,
        force: bool = False,
        discard: bool = False,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that copies a disk with all its volumes to another domain of the pool, and for a move deletes
        the source afterwards. No VM may use the disk meanwhile. When copying fails the source is untouched and the
        partial copy is removed.

        image_id: Image that is moved or copied; it keeps its id.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the image now.
        dst_sd_uuid: Domain that receives the image.
        operation: Whether the source stays, as a number: 1 copy, 2 move.
        post_zero: True overwrites the removed data with zeros, for disks that hold secrets; ignored on file
            storage. Engines send it as text.
        force: True replaces an image with the same id in the destination. Engines send it as text.
        discard: True tells block storage, before a volume is removed, that its blocks are free; storage without
            discard support ignores it.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, ImageDoesNotExistInSD,
            MoveImageError, InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.move", ImageMoveArgs(image_id=image_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, dst_sd_uuid=dst_sd_uuid, operation=operation, post_zero=post_zero, force=force, discard=discard), deadline)
        return result

    async def prepare(
        self,
        storagedomain_id: UUID,
        image_id: UUID,
        storagepool_id: UUID | None = None,
        volume_id: UUID | None = None,
        allow_illegal: bool = False,
        *,
        deadline: float | None = None,
    ) -> PreparedImageInfo:
        """Makes a disk usable on this host and tells its path: on block storage the logical volumes of the chain are
        activated, on file storage links are made. Illegal volumes are refused by default. After a failure nothing
        stays prepared.

        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the image.
        image_id: Image whose chain is prepared.
        volume_id: Volume that shall be used; it is prepared with all its parents. When left out, the image's leaf
            is used.
        allow_illegal: True prepares the chain even if a volume in it is marked illegal, for repair or for filling a
            new disk.
        Returns: Where the prepared disk can be opened.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, ImageDoesNotExistInSD, ImageIsNotLegalChain,
            prepareIllegalVolumeError, CannotActivateLogicalVolumes, ResourceTimeout.
        """
        result: PreparedImageInfo = await self._call("Image.prepare", ImagePrepareArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id, allow_illegal=allow_illegal), deadline)
        return result

    async def reconcile_volume_chain(
        self,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        leaf_vol_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Finds the real chain of an image by reading the qcow2 headers, and corrects metadata that differs, as after
        an interrupted live merge. No VM may use the image.

        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the image.
        image_id: Image whose chain is checked.
        leaf_vol_id: Last volume of the chain that the caller knows of; the search starts there.
        Returns: Volumes of the real chain, from the first to the leaf.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, VolumeDoesNotExist,
            ImageDoesNotExistInSD, CannotActivateLogicalVolumes, StorageException, ResourceTimeout.
        """
        result: list[UUID] = await self._call("Image.reconcileVolumeChain", ImageReconcileVolumeChainArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, leaf_vol_id=leaf_vol_id), deadline)
        return result

    async def sync_data(
        self,
        image_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        dst_sd_uuid: UUID,
        sync_type: syncType,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that copies the data of an image into its empty twin in another domain, made by cloning the
        structure; the second half of moving a disk while its VM runs. May be repeated after a failure.

        image_id: Image to copy; its twin has the same id.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the data.
        dst_sd_uuid: Domain that holds the empty chain.
        sync_type: Which volumes of the chain are copied.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, ImageDoesNotExistInSD,
            InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.syncData", ImageSyncDataArgs(image_id=image_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, dst_sd_uuid=dst_sd_uuid, sync_type=sync_type), deadline)
        return result

    async def teardown(
        self,
        storagedomain_id: UUID,
        image_id: UUID,
        storagepool_id: UUID | None = None,
        volume_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ends the use of a disk on this host: on block storage the logical volumes are deactivated, and run-time
        links are removed. Must not be called while a VM here uses the disk. Succeeds when nothing was prepared.

        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the image.
        image_id: Image that this host stops using.
        volume_id: Leaf volume that was prepared; ignored, all volumes of the image are torn down.
        Errors: StorageDomainDoesNotExist, CannotDeactivateLogicalVolume, ResourceTimeout.
        """
        await self._call("Image.teardown", ImageTeardownArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id), deadline)

    async def upload(
        self,
        method_args: ImageSharingMethodArgs,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        volume_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that sends the contents of a volume to a URL. The volume is only read.

        method_args: Where the data goes to.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the image.
        image_id: Image whose data is sent.
        volume_id: Volume whose data is sent. When left out, the image's leaf is used.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, InvalidParameterException,
            AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Image.upload", ImageUploadArgs(method_args=method_args, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id), deadline)
        return result


class ISCSIConnectionVerbs(Group):
    """Looks for iSCSI targets before the host logs in to them."""

    async def discover_send_targets(
        self,
        host: str,
        port: Annotated[int, Meta(ge=1, le=65535)],
        user: str = '',
        password: str = '',
        ipv6_enabled: bool = False,
        *,
        deadline: float | None = None,
    ) -> list[str]:
        """Asks an iSCSI portal which targets it offers (SendTargets discovery). Nothing is logged in and no record of
        the portal stays on the host.

        host: Name or IP address of the portal.
        port: TCP port of the portal, normally 3260.
        user: CHAP user for the discovery; empty asks without a login.
        password: CHAP secret that goes with user; ignored when user is empty.
        ipv6_enabled: True keeps portals with IPv6 addresses in the answer; false drops them.
        Returns: One line per target and portal, each in the form address:port,tpgt iqn.
        Errors: iSCSIDiscoveryError, iSCSILoginAuthError, SetiSCSIAuthError, AddiSCSIPortalError, InvalidIpAddress.
        """
        result: list[str] = await self._call("ISCSIConnection.discoverSendTargets", ISCSIConnectionDiscoverSendTargetsArgs(host=host, port=port, user=user, password=password, ipv6_enabled=ipv6_enabled), deadline)
        return result


class LeaseVerbs(Group):
    """Leases kept on a storage domain, apart from any volume: sanlock locks of which only one host or VM can hold
    each. Domains of format 4 and newer have them.
    """

    async def create(
        self,
        lease: Lease,
        metadata: LeaseMetadata | None = None,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that reserves a free slot for a lease on the domain and writes it there. Existing leases are
        not touched; a lease of this id that exists makes the task fail.

        lease: Domain and id of the lease to be made; for a VM's lease the id is that of the VM.
        metadata: First content of the lease's data block, telling which job it protects. Absent: the block stays
            empty, as for leases of VMs.
        Returns: Identifier of the task that does the work.
        Errors: SpmStatusError, StoragePoolNotConnected, StorageDomainDoesNotExist, UnsupportedDomainVersion,
            InvalidParameterException, AddTaskError.
        """
        result: UUID = await self._call("Lease.create", LeaseCreateArgs(lease=lease, metadata=metadata), deadline)
        return result

    async def delete(
        self,
        lease: Lease,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that removes a lease and frees its slot. A lease still held is removed all the same, so its
        holder must be stopped before.

        lease: Domain and id of the lease to be removed.
        Returns: Identifier of the task that does the work.
        Errors: SpmStatusError, StoragePoolNotConnected, StorageDomainDoesNotExist, UnsupportedDomainVersion,
            InvalidParameterException, AddTaskError.
        """
        result: UUID = await self._call("Lease.delete", LeaseDeleteArgs(lease=lease), deadline)
        return result

    async def fence(
        self,
        lease: Lease,
        metadata: LeaseMetadata,
        *,
        deadline: float | None = None,
    ) -> None:
        """Bars a job from going on: marks its lease as fenced and raises the generation. It takes the lease to do so
        and fails, with no change, while the job's host holds it or when the stored metadata differs from the given.

        lease: Domain and id of the lease that protects the job.
        metadata: What the caller believes is stored: job, generation and status pending must match what is found,
            else nothing is done.
        Errors: StoragePoolNotConnected, StorageDomainDoesNotExist, UnsupportedDomainVersion, NoSuchLease,
            InvalidMetadata, AcquireHostIdFailure, AcquireLockFailure, GenerationMismatch, JobStatusMismatch,
            SanlockInquireError, SanlockLVBError.
        """
        await self._call("Lease.fence", LeaseFenceArgs(lease=lease, metadata=metadata), deadline)

    async def info(
        self,
        lease: Lease,
        *,
        deadline: float | None = None,
    ) -> LeaseInfo:
        """Tells where on storage a lease lies, as needed to name it to libvirt or sanlock. It says nothing about who
        holds it.

        lease: Domain and id of the lease to locate.
        Returns: Path and offset of the lease.
        Errors: StorageDomainDoesNotExist, UnsupportedDomainVersion, NoSuchLease, InvalidMetadata,
            InvalidParameterException.
        """
        result: LeaseInfo = await self._call("Lease.info", LeaseInfoArgs(lease=lease), deadline)
        return result

    async def rebuild_leases(
        self,
        sd_id: UUID,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that rebuilds the domain's index of leases from the lease slots themselves, after the index
        was damaged. Leases cannot be created or looked up meanwhile.

        sd_id: Storage domain whose lease index is to be rebuilt.
        Returns: Identifier of the task that does the work.
        Errors: SpmStatusError, StoragePoolNotConnected, StorageDomainDoesNotExist, UnsupportedDomainVersion,
            AddTaskError.
        """
        result: UUID = await self._call("Lease.rebuild_leases", LeaseRebuildLeasesArgs(sd_id=sd_id), deadline)
        return result

    async def status(
        self,
        lease: Lease,
        *,
        deadline: float | None = None,
    ) -> ExternalLeaseStatus:
        """Reads from storage whether a lease is held and what its data block says. The answer may be outdated as soon
        as it is given; only holding the lease is a guarantee.

        lease: Domain and id of the lease to examine.
        Returns: Holders, version and stored metadata.
        Errors: StorageDomainDoesNotExist, UnsupportedDomainVersion, NoSuchLease, InvalidMetadata,
            SanlockInquireError, SanlockLVBError.
        """
        result: ExternalLeaseStatus = await self._call("Lease.status", LeaseStatusArgs(lease=lease), deadline)
        return result


class LVMVolumeGroupVerbs(Group):
    """LVM volume groups on shared LUNs, the base of block storage domains."""

    async def create(
        self,
        name: UUID,
        devlist: list[str],
        lvmvolumegroup_id: str | None = None,
        force: bool = False,
        *,
        deadline: float | None = None,
    ) -> str:
        """Makes a volume group from LUNs, as the first step of a block storage domain. The LUNs become physical
        volumes and their old content is lost. After a failure no group exists, but some LUNs may be initialised
        already.

        lvmvolumegroup_id: Ignored: LVM itself chooses the id of a new group.
        name: Name of the group, which is the id of the storage domain to be made on it.
        devlist: Multipath identifiers of the LUNs to use, at most 10; the first one holds the LVM metadata.
        force: True takes LUNs that carry partitions or belonged to another group; false refuses them.
        Returns: LVM's id of the new group, in LVM's own grouping (6-4-4-4-4-4-6 characters).
        Errors: VolumeGroupCreateError, VolumeGroupAlreadyExistsError, PhysDevInitializationError,
            InaccessiblePhysDev, DeviceBlockSizeError, VolumeGroupBlockSizeError, TooManyPVsInVG, InvalidParameter,
            LVMCommandError.
        """
        result: str = await self._call("LVMVolumeGroup.create", LVMVolumeGroupCreateArgs(lvmvolumegroup_id=lvmvolumegroup_id, name=name, devlist=devlist, force=force), deadline)
        return result

    async def get_info(
        self,
        lvmvolumegroup_id: str,
        *,
        deadline: float | None = None,
    ) -> VolumeGroupInfo:
        """Reads size, state and LUNs of one volume group from LVM.

        lvmvolumegroup_id: Group to look at: the id LVM gave it, not a UUID in the usual form.
        Returns: Group with its physical volumes and their paths on this host.
        Errors: VolumeGroupDoesNotExist, VolumeGroupActionError, LVMCommandError.
        """
        result: VolumeGroupInfo = await self._call("LVMVolumeGroup.getInfo", LVMVolumeGroupGetInfoArgs(lvmvolumegroup_id=lvmvolumegroup_id), deadline)
        return result

    async def remove(
        self,
        lvmvolumegroup_id: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Deletes a volume group and frees its LUNs; all data on it is lost. Meant for groups on which no storage
        domain was made. After a failure the group may still exist.

        lvmvolumegroup_id: Group to delete: the id LVM gave it, not a UUID in the usual form.
        Errors: VolumeGroupDoesNotExist, VolumeGroupRemoveError, VolumeGroupActionError, LVMCommandError.
        """
        await self._call("LVMVolumeGroup.remove", LVMVolumeGroupRemoveArgs(lvmvolumegroup_id=lvmvolumegroup_id), deadline)


class ManagedVolumeVerbs(Group):
    """Block volumes that a storage system's own driver creates and maps (Cinder and its like), outside storage domains
    managed through LVM or files. The host only attaches and detaches them.
    """

    async def attach_volume(
        self,
        vol_id: UUID,
        connection_info: ManagedVolumeConnection,
        sd_id: UUID = '00000000-0000-0000-0000-000000000000',
        *,
        deadline: float | None = None,
    ) -> ManagedVolumeInformation:
        """Connects this host to a managed volume and waits for its device to appear. The host remembers the volume
        until detach_volume. When attaching fails it is undone and forgotten.

        vol_id: Identifier of the volume at the storage system.
        connection_info: How to reach the volume, exactly as the storage system's driver gave it for this host.
        sd_id: The managed storage domain the volume belongs to; names the stable link to its device. All zeros:
            none, as from clients before 4.5.1.
        Returns: The device under which the volume is now available.
        Errors: ManagedVolumeNotSupported, ManagedVolumeHelperFailed, ManagedVolumeAlreadyAttached,
            ManagedVolumeUnsupportedDevice, ManagedVolumeConnectionMismatch, StorageUnsupportedOperation.
        """
        result: ManagedVolumeInformation = await self._call("ManagedVolume.attach_volume", ManagedVolumeAttachVolumeArgs(vol_id=vol_id, connection_info=connection_info, sd_id=sd_id), deadline)
        return result

    async def detach_volume(
        self,
        vol_id: UUID,
        sd_id: UUID = '00000000-0000-0000-0000-000000000000',
        *,
        deadline: float | None = None,
    ) -> None:
        """Disconnects this host from a managed volume and forgets it. No VM of the host may use it any more. An
        unknown volume is no error.

        vol_id: Identifier of the volume at the storage system, as given when attaching.
        sd_id: The managed storage domain given when attaching; all zeros if none was given.
        Errors: ManagedVolumeNotSupported, ManagedVolumeHelperFailed.
        """
        await self._call("ManagedVolume.detach_volume", ManagedVolumeDetachVolumeArgs(vol_id=vol_id, sd_id=sd_id), deadline)

    async def volumes_info(
        self,
        vol_ids: list[UUID] = [],
        *,
        deadline: float | None = None,
    ) -> list[ManagedVolumeInformation]:
        """Lists managed volumes this host remembers, sorted by id, and whether their devices are present. Useful to
        find leftovers after a crash.

        vol_ids: Only volumes with these ids; unknown ones are left out of the answer. Empty or absent: all.
        Returns: One entry for each remembered volume asked for.
        Errors: ManagedVolumeNotSupported.
        """
        result: list[ManagedVolumeInformation] = await self._call("ManagedVolume.volumes_info", ManagedVolumeVolumesInfoArgs(vol_ids=vol_ids), deadline)
        return result


class NBDVerbs(Group):
    """Temporary servers that offer a volume over the network block device protocol on a Unix socket of this host, for
    backup and transfer programs.
    """

    async def start_server(
        self,
        server_id: UUID,
        config: NBDServerConfig,
        *,
        deadline: float | None = None,
    ) -> str:
        """Starts a server process that offers one prepared volume on a Unix socket and answers its address. It serves
        up to 8 clients and runs until stop_server, also when the agent restarts. A second start under the same id
        is refused.

        server_id: Identifier chosen by the caller, unique on the host; stop_server needs it.
        config: Which volume to serve and how.
        Returns: Address of the server, such as nbd:unix:/path/to/socket, usable by qemu-img and libnbd on this
            host.
        Errors: StorageDomainDoesNotExist, ImageDoesNotExistInSD, VolumeDoesNotExist, SharedVolumeNonWritable,
            StorageUnsupportedOperation, BitmapDoesNotExist, GeneralException.
        """
        result: str = await self._call("NBD.start_server", NBDStartServerArgs(server_id=server_id, config=config), deadline)
        return result

    async def stop_server(
        self,
        server_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ends a server and disconnects its clients. A server that does not run (any more) is no error.

        server_id: Identifier under which the server was started.
        Errors: GeneralException.
        """
        await self._call("NBD.stop_server", NBDStopServerArgs(server_id=server_id), deadline)


class OVAVerbs(Group):
    """OVA archives that this host makes. Archives are read by the import verbs of class Host."""

    async def abort(
        self,
        job_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks an export to stop; nothing of its archive stays. One that has ended stays as it is.

        job_id: Export to stop.
        Errors: NoSuchJob.
        """
        await self._call("OVA.abort", OVAAbortArgs(job_id=job_id), deadline)

    async def export(
        self,
        path: str,
        vm: OvaVm,
        job_id: UUID,
        compressed: bool = False,
        manifest: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts to write a VM into an OVA archive: one tar with the description first, then each disk as qcow2,
        joined from all volumes of its chain. What can be checked is checked before the call returns. The archive
        gets its name when it is whole and on storage; a failed or stopped export leaves nothing. Follow it with
        Host.getJobs.

        path: Absolute path of the archive in the host's file system; the name ends in .ova, the folder exists, the
            file does not.
        vm: What the description tells, and which disks are written.
        job_id: New id chosen by the caller, used to follow and stop the export.
        compressed: True: clusters of the disks are compressed; smaller and slower to write.
        manifest: True: a manifest with SHA-256 checksums comes last; every byte is read once more for it.
        Errors: JobExists, InvalidParameter, UnexpectedError.
        """
        await self._call("OVA.export", OVAExportArgs(path=path, vm=vm, job_id=job_id, compressed=compressed, manifest=manifest), deadline)


class PolicyVerbs(Group):
    """The host's own policy: rules that run by themselves and tune page merging, balloons, CPU and disk limits. Rules
    and parameters are set with Host.setMOMPolicy and Host.setMOMPolicyParameters.
    """

    async def show(
        self,
        *,
        deadline: float | None = None,
    ) -> PolicyInfo:
        """Tells the rules in force, their parameters, and how their last run went.

        Returns: Rules and parameters.
        """
        result: PolicyInfo = await self._call("Policy.show", PolicyShowArgs(), deadline)
        return result

    async def what_if(
        self,
        policy: str | None = None,
        *,
        deadline: float | None = None,
    ) -> PolicyOutcome:
        """Tells what rules would decide with what is measured now. Nothing is changed.

        policy: Rules to be tried; absent: those in force.
        Returns: Decisions, and what the rules had to say.
        Errors: MOMPolicyUpdateFailed.
        """
        result: PolicyOutcome = await self._call("Policy.whatIf", PolicyWhatIfArgs(policy=policy), deadline)
        return result


class SDMVerbs(Group):
    """Storage work that any host of the pool can do, not only the SPM. Each verb starts a job and answers at once; the
    job takes the leases it needs, and Host.getJobs or the job event tells how it ended. The generation counter of a
    volume keeps a repeated or late request from running twice.
    """

    async def add_bitmap(
        self,
        job_id: UUID,
        vol_info: CopyDataDIVEndpoint,
        bitmap: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that adds an empty dirty bitmap to a qcow2 volume no VM uses. A failed job leaves the data of
        the volume as it was.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        vol_info: Volume that gets the bitmap, with its expected generation.
        bitmap: Name of the new bitmap, normally a checkpoint id; the job fails when it exists already.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.add_bitmap", SDMAddBitmapArgs(job_id=job_id, vol_info=vol_info, bitmap=bitmap), deadline)

    async def amend_volume(
        self,
        job_id: UUID,
        vol_info: CopyDataDIVEndpoint,
        qcow2_attr: Qcow2Attributes,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that changes the qcow2 format version of a volume no VM uses. The volume is illegal while the
        job works and stays so when it fails.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        vol_info: Volume to change, with its expected generation; it must be qcow2.
        qcow2_attr: What the volume's header is to become; a field left out stays as it is.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.amend_volume", SDMAmendVolumeArgs(job_id=job_id, vol_info=vol_info, qcow2_attr=qcow2_attr), deadline)

    async def clear_bitmaps(
        self,
        job_id: UUID,
        vol_info: CopyDataDIVEndpoint,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that removes all dirty bitmaps from a qcow2 volume no VM uses, valid or broken ones alike.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        vol_info: Volume that loses its bitmaps, with its expected generation.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.clear_bitmaps", SDMClearBitmapsArgs(job_id=job_id, vol_info=vol_info), deadline)

    async def copy_data(
        self,
        job_id: UUID,
        source: CopyDataEndpoint,
        destination: CopyDataEndpoint,
        copy_bitmaps: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that copies the data of one volume into another one that exists already, converting the format
        where they differ. The target is illegal while the job works and stays so when the copy fails or is aborted;
        the source is never changed.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        source: Where the data comes from; shared with other readers while the job runs.
        destination: Where the data goes to, with its expected generation; used by this job alone.
        copy_bitmaps: True also copies valid dirty bitmaps; both ends have to be qcow2.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.copy_data", SDMCopyDataArgs(job_id=job_id, source=source, destination=destination, copy_bitmaps=copy_bitmaps), deadline)

    async def merge(
        self,
        job_id: UUID,
        subchain_info: SubchainInfo,
        merge_bitmaps: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that merges a volume into its parent while no VM uses the disk. It needs
        StoragePool.prepareMerge before and StoragePool.finalizeMerge after it. When the job fails the chain is
        still readable and the merge can be repeated with a new job.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        subchain_info: The upper and the lower volume, which must be neighbours in the chain.
        merge_bitmaps: True joins the dirty bitmaps of both volumes in the lower one.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.merge", SDMMergeArgs(job_id=job_id, subchain_info=subchain_info, merge_bitmaps=merge_bitmaps), deadline)

    async def move_domain_device(
        self,
        job_id: UUID,
        move_params: StorageDomainDeviceMoveParams,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that moves all data off one LUN of a block storage domain onto its other LUNs, so that the LUN
        can be taken out. Data moved before a failure stays where it is now; a new job goes on from there.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        move_params: The domain, the LUN to empty and optionally the LUNs to use instead.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.move_domain_device", SDMMoveDomainDeviceArgs(job_id=job_id, move_params=move_params), deadline)

    async def reduce_domain(
        self,
        job_id: UUID,
        reduce_params: StorageDomainReduceParams,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that takes one LUN out of a block storage domain. The LUN must be empty (see
        move_domain_device), and one that holds the domain's own metadata cannot leave. After a failure it still
        belongs to the domain.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        reduce_params: The domain and the LUN that leaves it.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.reduce_domain", SDMReduceDomainArgs(job_id=job_id, reduce_params=reduce_params), deadline)

    async def remove_bitmap(
        self,
        job_id: UUID,
        vol_info: CopyDataDIVEndpoint,
        bitmap: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that removes one dirty bitmap from a qcow2 volume no VM uses; its other bitmaps stay.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        vol_info: Volume that loses the bitmap, with its expected generation.
        bitmap: Name of the bitmap to remove; the job fails when the volume has none of that name.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.remove_bitmap", SDMRemoveBitmapArgs(job_id=job_id, vol_info=vol_info, bitmap=bitmap), deadline)

    async def sparsify_volume(
        self,
        job_id: UUID,
        vol_info: CopyDataDIVEndpoint,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that gives space the guest's file systems no longer use back to the storage. No VM may use the
        volume, and it must be the only one of its disk. The volume is illegal while the job works and stays so when
        it fails.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        vol_info: Volume to shrink on the storage, with its expected generation; its size for the guest stays.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.sparsify_volume", SDMSparsifyVolumeArgs(job_id=job_id, vol_info=vol_info), deadline)

    async def update_volume(
        self,
        job_id: UUID,
        vol_info: CopyDataDIVEndpoint,
        vol_attr: VolumeAttributes,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that changes metadata of a volume, not its data; either all given attributes are written or
        none.

        job_id: New id chosen by the caller, under which the job is followed; an id in use is refused.
        vol_info: Volume whose metadata changes, with its expected generation.
        vol_attr: New values; an attribute left out stays as it is.
        Errors: JobExists, StoragePoolNotConnected, InvalidParameter, AddTaskError.
        """
        await self._call("SDM.update_volume", SDMUpdateVolumeArgs(job_id=job_id, vol_info=vol_info, vol_attr=vol_attr), deadline)


class StorageDomainVerbs(Group):
    """A storage domain is one place that holds disks: an exported directory (NFS, GlusterFS, POSIX, local) or an LVM
    volume group on shared LUNs (iSCSI, Fibre Channel). Each domain describes itself in its own metadata and can be
    attached to a pool.
    """

    async def activate(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Makes an attached domain usable in the pool: the status in the pool metadata becomes Active and every
        connected host begins to monitor it. If the pool has an upgrade under way, the domain is converted first.
        After a failure the domain stays attached and inactive.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool to which the domain belongs; this host must be connected to it.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainActivateError, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainNotInPool, StorageDomainNotMemberOfPool,
            StorageDomainStateTransitionIllegal, AcquireHostIdFailure, ResourceTimeout.
        """
        await self._call("StorageDomain.activate", StorageDomainActivateArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id), deadline)

    async def attach(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Makes a domain a member of the pool, with status Attached: both the domain's and the pool's metadata record
        it. The domain must be reachable and in no other pool; only ISO domains may be shared. On a failure the
        domain stays unattached.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool that the domain shall join; this host must be its SPM.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainAttachError, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainAlreadyAttached, TooManyDomainsInStoragePoolError,
            MixedSDVersionError, AcquireHostIdFailure, AcquireLockFailure, ResourceTimeout.
        """
        await self._call("StorageDomain.attach", StorageDomainAttachArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id), deadline)

    async def create(
        self,
        storagedomain_id: UUID,
        domain_type: StorageDomainTypeId,
        type_args: str,
        name: str,
        domain_class: StorageDomainClassId,
        version: Annotated[int, Meta(ge=0, le=5)] | None = None,
        block_size: int = 512,
        max_hosts: Annotated[int, Meta(ge=1, le=2000)] = 2000,
        *,
        deadline: float | None = None,
    ) -> None:
        """Writes a new, empty domain onto storage that this host is connected to. The directory must hold no domain,
        or the volume group must be freshly made for it. The new domain belongs to no pool. A domain left half
        written by a failure is not recognised as one.

        storagedomain_id: Id that the new domain shall have, chosen by the engine.
        domain_type: Kind of storage that holds the domain, as a number.
        type_args: Where the domain goes. File storage: the remote path exactly as in the connection, such as
            server:/export. Block storage: the LVM UUID of the prepared volume group. Existing engines send plain
            text, never an object.
        name: Human-readable domain name; stored as the description in the domain's metadata.
        domain_class: What the domain is for, as a number.
        version: Domain format, sent as text by engines. When left out, format 0 is taken, as in the first releases;
            give 5 for new domains.
        block_size: Size of the smallest write on the storage, 512 or 4096 bytes; 0 asks the node to find out. 4096
            needs format 5 and file storage. [bytes]
        max_hosts: How many hosts the domain must be able to serve. On 4096-byte storage it decides how far apart
            leases lie, on others it has no effect.
        Errors: StorageDomainCreationError, StorageDomainAlreadyExists, StorageDomainFSNotMounted,
            StorageDomainNotEmpty, StorageDomainIllegalRemotePath, StorageDomainTypeError, StorageDomainClassError,
            StorageDomainMetadataCreationError, StorageDomainDescriptionTooLongError,
            StorageDomainBlockSizeMismatch, UnsupportedDomainVersion, VolumeGroupDoesNotExist,
            VolumeGroupHasDomainTag, VolumeGroupBlockSizeError, ClusterLockInitError, ResourceTimeout.
        """
        await self._call("StorageDomain.create", StorageDomainCreateArgs(storagedomain_id=storagedomain_id, domain_type=domain_type, type_args=type_args, name=name, domain_class=domain_class, version=version, block_size=block_size, max_hosts=max_hosts), deadline)

    async def deactivate(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        master_sd_uuid: UUID | None = None,
        master_version: Annotated[int, Meta(ge=0)] = 0,
        *,
        deadline: float | None = None,
    ) -> None:
        """Takes an active domain out of use: its status becomes Attached and monitoring of it ends on this host.
        Refused for the master domain while other domains are active. VMs must not use disks on it any more.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool to which the domain belongs; this host must be connected to it.
        master_sd_uuid: Domain that becomes the master if the deactivated one was; the all-zero id keeps the present
            master.
        master_version: Version for a new master; must be higher than the current one when the master moves.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDeactivateError, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainNotInPool, StorageDomainMasterUnmountError,
            StorageDomainMasterCopyError, StoragePoolWrongMaster, TaskInProgress, ResourceTimeout.
        """
        await self._call("StorageDomain.deactivate", StorageDomainDeactivateArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id, master_sd_uuid=master_sd_uuid, master_version=master_version), deadline)

    async def detach(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        master_sd_uuid: UUID | None = None,
        master_version: Annotated[int, Meta(ge=0)] = 0,
        force: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Takes an inactive domain out of the pool; its disks stay on it and it can be attached elsewhere. The forced
        form also works without an SPM and on a domain that the pool lost track of.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool that the domain leaves.
        master_sd_uuid: Domain that is or becomes the pool's master. When left out, or all zero, the master does not
            move.
        master_version: Version of the master named in the call; 0 when no master is named.
        force: True removes the pool's mark from the domain without asking the pool; meant for a pool that no longer
            exists.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDetachError, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainNotInPool, StorageDomainNotMemberOfPool, StorageDomainActive,
            CannotDetachMasterStorageDomain, StoragePoolWrongMaster, AcquireHostIdFailure, ResourceTimeout.
        """
        await self._call("StorageDomain.detach", StorageDomainDetachArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id, master_sd_uuid=master_sd_uuid, master_version=master_version, force=force), deadline)

    async def dump(
        self,
        sd_id: UUID,
        full: bool = False,
        *,
        deadline: float | None = None,
    ) -> StorageDomainDump:
        """Reports all that the domain's metadata says, for support and repair: domain, volumes, leases and lockspace.
        Reads the storage itself, also when some of it is damaged; broken volumes appear with status INVALID.

        sd_id: Storage domain whose metadata is read.
        full: True adds the sanlock leases and the lockspace, which takes longer to read.
        Returns: Domain facts, all volumes, and leases where the domain's format has them.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError, ResourceTimeout.
        """
        result: StorageDomainDump = await self._call("StorageDomain.dump", StorageDomainDumpArgs(sd_id=sd_id, full=full), deadline)
        return result

    async def extend(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        devlist: list[str],
        force: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Adds LUNs to a block domain's volume group, which raises its size. The LUNs must be visible on all hosts of
        the pool. File domains refuse this.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool to which the domain belongs; this host must be connected to it.
        devlist: Multipath GUIDs of the LUNs to add; a volume group takes at most 10.
        force: True takes LUNs even if they carry data or LVM labels, which is lost; by default such LUNs are
            refused.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainActionError, StorageDomainDoesNotExist,
            StorageDomainNotActive, VolumeGroupExtendError, TooManyPVsInVG, PhysDevInitializationError,
            InaccessiblePhysDev, PartitionedPhysDev, DeviceBlockSizeError, VolumeGroupBlockSizeError,
            ResourceTimeout.
        """
        await self._call("StorageDomain.extend", StorageDomainExtendArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id, devlist=devlist, force=force), deadline)

    async def format(
        self,
        storagedomain_id: UUID,
        auto_detach: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Destroys a domain and all disks on it: wipes its metadata and removes the directory, or the volume group.
        Only for domains that belong to no pool. A failure may leave the domain partly removed.

        storagedomain_id: Domain that is destroyed with everything on it.
        auto_detach: True first detaches the domain if a pool still claims it; by default an attached domain is
            refused.
        Errors: StorageDomainFormatError, StorageDomainDoesNotExist, StorageDomainAccessError,
            CannotFormatAttachedStorageDomain, CannotFormatStorageDomainInConnectedPool, VolumeGroupRemoveError,
            AcquireHostIdFailure, ResourceTimeout.
        """
        await self._call("StorageDomain.format", StorageDomainFormatArgs(storagedomain_id=storagedomain_id, auto_detach=auto_detach), deadline)

    async def get_file_stats(
        self,
        storagedomain_id: UUID,
        pattern: str = '*',
        case_sensitive: bool = False,
        *,
        deadline: float | None = None,
    ) -> StorageDomainFileStatsMap:
        """Lists the files of an ISO domain, or the ISO files of a data domain, whose names match a pattern.

        storagedomain_id: Storage domain that the call is about.
        pattern: Shell pattern for the file name, such as *.iso; the default matches every file.
        case_sensitive: True compares letter case too; by default Setup.ISO matches *.iso.
        Returns: Matching files with size and time.
        Errors: GetFileStatsError, StorageDomainDoesNotExist, StorageDomainAccessError,
            FileStorageDomainStaleNFSHandle, ResourceTimeout.
        """
        result: StorageDomainFileStatsMap = await self._call("StorageDomain.getFileStats", StorageDomainGetFileStatsArgs(storagedomain_id=storagedomain_id, pattern=pattern, case_sensitive=case_sensitive), deadline)
        return result

    async def get_images(
        self,
        storagedomain_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists the images (disks) that exist on the domain, without those already marked for deletion.

        storagedomain_id: Storage domain that the call is about.
        Returns: Ids of the images on the domain, in no particular order.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError, ResourceTimeout.
        """
        result: list[UUID] = await self._call("StorageDomain.getImages", StorageDomainGetImagesArgs(storagedomain_id=storagedomain_id), deadline)
        return result

    async def get_info(
        self,
        storagedomain_id: UUID,
        *,
        deadline: float | None = None,
    ) -> StorageDomainInfo:
        """Describes a domain from its own metadata; works for attached and unattached domains.

        storagedomain_id: Storage domain that the call is about.
        Returns: What the domain's metadata says, joined with the pool's view when this host is connected to that
            pool.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError,
            StorageDomainMetadataNotFound, ResourceTimeout.
        """
        result: StorageDomainInfo = await self._call("StorageDomain.getInfo", StorageDomainGetInfoArgs(storagedomain_id=storagedomain_id), deadline)
        return result

    async def get_stats(
        self,
        storagedomain_id: UUID,
        *,
        deadline: float | None = None,
    ) -> StorageDomainStats:
        """Measures how much room a domain has and, on block storage, how full the LVM metadata area is. It asks the
        storage itself and does not answer from memory.

        storagedomain_id: Storage domain that the call is about.
        Returns: Total and free bytes, and the state of the LVM metadata area.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError,
            FileStorageDomainStaleNFSHandle, ResourceTimeout.
        """
        result: StorageDomainStats = await self._call("StorageDomain.getStats", StorageDomainGetStatsArgs(storagedomain_id=storagedomain_id), deadline)
        return result

    async def get_volumes(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        image_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists the volumes of one image, or of the whole domain when no image is named.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool to which the domain belongs; only logged.
        image_id: Image whose volumes are wanted. When left out, or all zero, the volumes of all images are listed.
        Returns: Ids of the volumes, in no particular order.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError, ImagePathError,
            ResourceTimeout.
        """
        result: list[UUID] = await self._call("StorageDomain.getVolumes", StorageDomainGetVolumesArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id, image_id=image_id), deadline)
        return result

    async def resize_pv(
        self,
        storagedomain_id: UUID,
        storagepool_id: UUID,
        guid: str,
        *,
        deadline: float | None = None,
    ) -> UInt:
        """Takes over the new size of a LUN that was enlarged on the storage side, so that the domain can use the added
        space. Does nothing when the size is unchanged.

        storagedomain_id: Storage domain that the call is about.
        storagepool_id: Pool to which the domain belongs; this host must be connected to it.
        guid: Multipath GUID of the enlarged LUN.
        Returns: Size of the physical volume after the resize, in bytes.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainActionError, StorageDomainDoesNotExist,
            StorageDomainNotActive, CouldNotResizePhysicalVolume, InaccessiblePhysDev, NoSuchPhysicalVolume,
            ResourceTimeout.
        """
        result: UInt = await self._call("StorageDomain.resizePV", StorageDomainResizePVArgs(storagedomain_id=storagedomain_id, storagepool_id=storagepool_id, guid=guid), deadline)
        return result

    async def set_description(
        self,
        storagedomain_id: UUID,
        description: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Changes the domain's human-readable name in its metadata.

        storagedomain_id: Storage domain that the call is about.
        description: New name; must fit into the metadata, on formats before 3 only ASCII.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError,
            StorageDomainDescriptionTooLongError, SpmStatusError, ResourceTimeout.
        """
        await self._call("StorageDomain.setDescription", StorageDomainSetDescriptionArgs(storagedomain_id=storagedomain_id, description=description), deadline)

    async def validate(
        self,
        storagedomain_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Checks that a domain can be reached and that its metadata is readable. Answers an error that names the
        fault, else nothing.

        storagedomain_id: Storage domain that the call is about.
        Errors: StorageDomainDoesNotExist, StorageDomainAccessError, StorageDomainActionError,
            StorageDomainMetadataNotFound, FileStorageDomainStaleNFSHandle, ResourceTimeout.
        """
        await self._call("StorageDomain.validate", StorageDomainValidateArgs(storagedomain_id=storagedomain_id), deadline)


class StoragePoolVerbs(Group):
    """A storage pool groups the storage domains of one data center. One domain, the master, carries the pool's own
    metadata; one host at a time, the SPM (storage pool manager), may change storage metadata, while all other hosts
    only read it and use the disks.
    """

    async def connect(
        self,
        storagepool_id: UUID,
        host_id: Annotated[int, Meta(ge=1, le=2000)],
        master_sd_uuid: UUID,
        master_version: Annotated[int, Meta(ge=0)],
        scsi_key: str | None = None,
        domain_dict: StorageDomainStatusMap | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Joins this host to a pool: links the pool's domains into the host's repository, takes the host id in each
        active domain's lockspace and starts monitoring the domains. When the host is connected to the same pool
        already, the given master and domain map are taken over. After a failure the host is not connected.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        host_id: Number of this host in the pool, unique among its hosts; it is this host's slot in every lockspace
            and mailbox.
        scsi_key: Once a SCSI reservation key; accepted because engines still send it (usually the pool id), never
            used.
        master_sd_uuid: Storage domain that the caller believes to be the pool's master; refused when the domain's
            metadata says otherwise.
        master_version: Version of the pool's master that the caller knows; it grows by one whenever the master
            moves, so an outdated master is recognised.
        domain_dict: Domains of the pool and their wanted status. When left out, the list stored in the master
            domain's metadata is used.
        Errors: StoragePoolConnectionError, StoragePoolMasterNotFound, StoragePoolWrongMaster, StoragePoolUnknown,
            CannotConnectMultiplePools, StoragePoolHigherVersionMasterFound, StorageDomainDoesNotExist,
            StorageDomainAccessError, AcquireHostIdFailure, HostIdMismatch, ResourceTimeout.
        """
        await self._call("StoragePool.connect", StoragePoolConnectArgs(storagepool_id=storagepool_id, host_id=host_id, scsi_key=scsi_key, master_sd_uuid=master_sd_uuid, master_version=master_version, domain_dict=domain_dict), deadline)

    async def connect_storage_server(
        self,
        domain_type: StorageDomainTypeId,
        connection_params: list[ConnectionRefParameters],
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> list[ConnectStorageServerStatus]:
        """Makes storage reachable from this host: mounts exports, or logs in to iSCSI targets and rescans devices.
        Each connection is tried on its own; the verb succeeds even when some fail, and the answer carries one
        status per connection.

        storagepool_id: Pool for which the connection is wanted; only logged. The all-zero id is sent when no pool
            exists yet.
        domain_type: Kind of storage that all listed connections have; it also tells which fields the connection
            parameters carry.
        connection_params: Connections to make, one entry for each export or each iSCSI target portal; an empty list
            does nothing.
        Returns: One entry per requested connection, in the same order, telling whether it is usable now.
        Errors: StorageServerConnectionError, StorageServerActionError, StorageTypeError, MultipathReloadError,
            ResourceTimeout.
        """
        result: list[ConnectStorageServerStatus] = await self._call("StoragePool.connectStorageServer", StoragePoolConnectStorageServerArgs(storagepool_id=storagepool_id, domain_type=domain_type, connection_params=connection_params), deadline)
        return result

    async def create(
        self,
        storagepool_id: UUID,
        name: str,
        master_sd_uuid: UUID,
        master_version: Annotated[int, Meta(ge=0)],
        domain_list: list[UUID],
        lock_renewal_interval_sec: Annotated[int, Meta(ge=0)] = 5,
        lease_time_sec: Annotated[int, Meta(ge=0)] = 60,
        io_op_timeout_sec: Annotated[int, Meta(ge=0)] = 10,
        lease_retries: Annotated[int, Meta(ge=0)] = 3,
        *,
        deadline: float | None = None,
    ) -> None:
        """Creates a pool: writes the pool's metadata into the master domain and attaches all listed domains. The
        domains must exist, be reachable from this host and belong to no pool. The host must be in no pool, and is
        in none afterwards: it still has to connect. After a failure some domains may carry the new pool's id and
        need a forced detach.

        storagepool_id: Id that the new pool shall have, chosen by the engine.
        name: Human-readable pool name, stored as the pool's description in the master domain.
        master_sd_uuid: Data domain that becomes the pool's master; it must also be in the list of domains.
        master_version: First version number of the master, normally 1.
        domain_list: All domains that the new pool consists of, the master included.
        lock_renewal_interval_sec: How often the SPM renews its lease, in seconds. Has meaning only for domain
            formats 0 and 2; sanlock has its own timing. [s]
        lease_time_sec: How long a lease stays valid without renewal, in seconds. Has meaning only for domain
            formats 0 and 2. [s]
        io_op_timeout_sec: Longest time, in seconds, that one read or write of the lease may take. Has meaning only
            for domain formats 0 and 2. [s]
        lease_retries: How many failed renewals are tolerated before the lease counts as lost. Has meaning only for
            domain formats 0 and 2.
        Errors: StoragePoolCreationError, StoragePoolAlreadyExists, StoragePoolConnected, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainAlreadyAttached, StorageDomainIsMemberOfPool,
            IsoCannotBeMasterDomain, BackupCannotBeMasterDomain, MixedSDVersionError,
            TooManyDomainsInStoragePoolError, StoragePoolDescriptionTooLongError, AcquireHostIdFailure,
            AcquireLockFailure, ResourceTimeout.
        """
        await self._call("StoragePool.create", StoragePoolCreateArgs(storagepool_id=storagepool_id, name=name, master_sd_uuid=master_sd_uuid, master_version=master_version, domain_list=domain_list, lock_renewal_interval_sec=lock_renewal_interval_sec, lease_time_sec=lease_time_sec, io_op_timeout_sec=io_op_timeout_sec, lease_retries=lease_retries), deadline)

    async def destroy(
        self,
        storagepool_id: UUID,
        host_id: Annotated[int, Meta(ge=1, le=2000)],
        scsi_key: str | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Removes a pool: detaches the master as its last domain and disconnects this host. All other domains must be
        detached before. The domains' disks stay untouched.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        host_id: Number of this host in the pool; must be the one it connected with.
        scsi_key: Once a SCSI reservation key; accepted because engines still send it (usually the pool id), never
            used.
        Errors: StoragePoolDestroyingError, StoragePoolUnknown, StoragePoolActionError, StorageDomainAccessError,
            SpmStatusError, ResourceTimeout.
        """
        await self._call("StoragePool.destroy", StoragePoolDestroyArgs(storagepool_id=storagepool_id, host_id=host_id, scsi_key=scsi_key), deadline)

    async def disconnect(
        self,
        storagepool_id: UUID,
        host_id: Annotated[int, Meta(ge=1, le=2000)],
        scsi_key: str | None = None,
        remove: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Takes this host out of a pool: stops monitoring the domains, releases its host ids and removes the pool's
        links. Succeeds when the host is not connected to the pool. Refused while this host is the pool's SPM.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        host_id: Number of this host in the pool; must be the one it connected with.
        scsi_key: Once a SCSI reservation key; accepted because engines still send it (usually the pool id), never
            used.
        remove: True also clears what this host remembers about the pool, for a host that leaves for good.
        Errors: StoragePoolDisconnectionError, IsSpm, HostIdMismatch, ReleaseHostIdFailure, ResourceTimeout.
        """
        await self._call("StoragePool.disconnect", StoragePoolDisconnectArgs(storagepool_id=storagepool_id, host_id=host_id, scsi_key=scsi_key, remove=remove), deadline)

    async def disconnect_storage_server(
        self,
        domain_type: StorageDomainTypeId,
        connection_params: list[ConnectionRefParameters],
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> list[ConnectStorageServerStatus]:
        """Gives up connections to storage: unmounts exports or logs out of iSCSI targets. Must not be used while a
        domain on them is active here. Each connection is tried on its own, and the answer carries one status per
        connection.

        storagepool_id: Pool for which the connection is wanted; only logged. The all-zero id is sent when no pool
            exists yet.
        domain_type: Kind of storage of all listed connections, as the number that was used for connecting.
        connection_params: Connections to drop, described with the same values as when they were made.
        Returns: One entry per requested connection, in the same order; status 0 also for a connection that was not
            there.
        Errors: StorageServerDisconnectionError, StorageServerActionError, StorageTypeError, ResourceTimeout.
        """
        result: list[ConnectStorageServerStatus] = await self._call("StoragePool.disconnectStorageServer", StoragePoolDisconnectStorageServerArgs(storagepool_id=storagepool_id, domain_type=domain_type, connection_params=connection_params), deadline)
        return result

    async def finalize_merge(
        self,
        storagepool_id: UUID,
        subchain_info: SubchainInfo,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that ends a cold merge: after the data of the upper volume was written into the base, it takes
        the upper volume out of the chain and links its children to the base. The base stays as it was when the task
        fails.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        subchain_info: The two neighbouring volumes that were merged and the generation that the base must have.
        Returns: Id of the started task; the merge is done when that task has finished with success.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, MergeSnapshotsError, AddTaskError,
            ResourceTimeout.
        """
        result: UUID = await self._call("StoragePool.finalizeMerge", StoragePoolFinalizeMergeArgs(storagepool_id=storagepool_id, subchain_info=subchain_info), deadline)
        return result

    async def get_backed_up_vms_info(
        self,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        vm_list: list[UUID] = [],
        *,
        deadline: float | None = None,
    ) -> OVFMap:
        """Reads the OVF descriptions of VMs that were stored on an export (backup) domain. VMs without a readable
        description are left out of the answer.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        storagedomain_id: Export domain to read, or the all-zero id for the pool's master domain.
        vm_list: VMs whose descriptions are wanted; an empty list means every VM found on the domain.
        Returns: OVF documents by VM id.
        Errors: StoragePoolUnknown, StorageDomainDoesNotExist, StorageDomainTypeNotBackup, StorageDomainNotActive,
            StorageDomainAccessError, MissingOvfFileFromVM, ResourceTimeout.
        """
        result: OVFMap = await self._call("StoragePool.getBackedUpVmsInfo", StoragePoolGetBackedUpVmsInfoArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, vm_list=vm_list), deadline)
        return result

    async def get_backed_up_vms_list(
        self,
        storagepool_id: UUID,
        storagedomain_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists the VMs that have an OVF description on an export (backup) domain.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        storagedomain_id: Export domain to look at. When left out, the pool's master domain is used.
        Returns: Ids of the VMs that are described there, in no particular order.
        Errors: StoragePoolUnknown, StorageDomainDoesNotExist, StorageDomainTypeNotBackup, StorageDomainNotActive,
            StorageDomainAccessError, ResourceTimeout.
        """
        result: list[UUID] = await self._call("StoragePool.getBackedUpVmsList", StoragePoolGetBackedUpVmsListArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id), deadline)
        return result

    async def get_domains_containing_image(
        self,
        storagepool_id: UUID,
        image_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Looks through the pool's active data domains for an image; used to find copies of a disk or template.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        image_id: Image (disk) to search for.
        Returns: Domains that hold at least one volume of the image; empty when there is none.
        Errors: StoragePoolUnknown, StorageDomainAccessError, GetStorageDomainListError, ResourceTimeout.
        """
        result: list[UUID] = await self._call("StoragePool.getDomainsContainingImage", StoragePoolGetDomainsContainingImageArgs(storagepool_id=storagepool_id, image_id=image_id), deadline)
        return result

    async def get_info(
        self,
        storagepool_id: UUID,
        *,
        deadline: float | None = None,
    ) -> StoragePoolFullInfo:
        """Describes the pool as this host sees it: master, SPM, and the state and free space of each domain.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        Returns: General facts about the pool and one entry for each of its domains.
        Errors: StoragePoolUnknown, StoragePoolActionError, StoragePoolMasterNotFound, ResourceTimeout.
        """
        result: StoragePoolFullInfo = await self._call("StoragePool.getInfo", StoragePoolGetInfoArgs(storagepool_id=storagepool_id), deadline)
        return result

    async def get_spm_status(
        self,
        storagepool_id: UUID,
        *,
        deadline: float | None = None,
    ) -> SpmStatus:
        """Tells whether this host is the pool's SPM, and which host last recorded itself as SPM in the master domain.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        Returns: This host's role, and the id and lease version of the recorded SPM.
        Errors: StoragePoolUnknown, SpmStatusError, StoragePoolMasterNotFound, StorageDomainMasterError,
            ResourceTimeout.
        """
        result: SpmStatus = await self._call("StoragePool.getSpmStatus", StoragePoolGetSpmStatusArgs(storagepool_id=storagepool_id), deadline)
        return result

    async def prepare_merge(
        self,
        storagepool_id: UUID,
        subchain_info: SubchainInfo,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that readies a cold merge: it makes the base volume large enough for the data of the upper
        volume and marks the base illegal so that no VM can start on a half-merged chain. Aborting before data was
        copied needs the base set legal again.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        subchain_info: The two neighbouring volumes that shall become one and the generation that the base must
            have.
        Returns: Id of the started task; data may be merged when that task has finished with success.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, MergeSnapshotsError, AddTaskError,
            ResourceTimeout.
        """
        result: UUID = await self._call("StoragePool.prepareMerge", StoragePoolPrepareMergeArgs(storagepool_id=storagepool_id, subchain_info=subchain_info), deadline)
        return result

    async def reconstruct_master(
        self,
        storagepool_id: UUID,
        host_id: Annotated[int, Meta(ge=1, le=2000)],
        name: str,
        master_sd_uuid: UUID,
        master_version: Annotated[int, Meta(ge=0)],
        domain_dict: StorageDomainStatusMap,
        lock_renewal_interval_sec: Annotated[int, Meta(ge=0)] = 5,
        lease_time_sec: Annotated[int, Meta(ge=0)] = 60,
        io_op_timeout_sec: Annotated[int, Meta(ge=0)] = 10,
        lease_retries: Annotated[int, Meta(ge=0)] = 3,
        *,
        deadline: float | None = None,
    ) -> None:
        """Makes another domain the pool's master when the old one is lost: writes fresh pool metadata, with a raised
        master version, into the given domain. Hosts must reconnect afterwards. Running tasks recorded on the old
        master are forgotten.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        host_id: Number of this host in the pool, needed to take the lease of the new master.
        name: Human-readable pool name to write into the new metadata.
        master_sd_uuid: Data domain that becomes the new master.
        master_version: Version to give the new master; must be higher than that of any earlier master.
        domain_dict: All domains of the pool and the status to record for each.
        lock_renewal_interval_sec: How often the SPM renews its lease, in seconds. Has meaning only for domain
            formats 0 and 2; sanlock has its own timing. [s]
        lease_time_sec: How long a lease stays valid without renewal, in seconds. Has meaning only for domain
            formats 0 and 2. [s]
        io_op_timeout_sec: Longest time, in seconds, that one read or write of the lease may take. Has meaning only
            for domain formats 0 and 2. [s]
        lease_retries: How many failed renewals are tolerated before the lease counts as lost. Has meaning only for
            domain formats 0 and 2.
        Errors: ReconstructMasterError, StoragePoolConnected, StoragePoolWrongMaster, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainClassError, IsoCannotBeMasterDomain, BackupCannotBeMasterDomain,
            AcquireHostIdFailure, AcquireLockFailure, ResourceTimeout.
        """
        await self._call("StoragePool.reconstructMaster", StoragePoolReconstructMasterArgs(storagepool_id=storagepool_id, host_id=host_id, name=name, master_sd_uuid=master_sd_uuid, master_version=master_version, domain_dict=domain_dict, lock_renewal_interval_sec=lock_renewal_interval_sec, lease_time_sec=lease_time_sec, io_op_timeout_sec=io_op_timeout_sec, lease_retries=lease_retries), deadline)

    async def reduce_volume(
        self,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        volume_id: UUID,
        allow_active: bool = False,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that shrinks a qcow2 volume on block storage to what its data needs plus spare room. Does
        nothing on file storage. The virtual size of the disk stays the same.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        storagedomain_id: Storage domain on which the volume lies.
        image_id: Image to which the volume belongs.
        volume_id: Volume that gives back unused space.
        allow_active: True also shrinks a volume that a VM writes to, keeping enough room for growth; by default
            only volumes that nobody writes to are shrunk.
        Returns: Id of the started task.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("StoragePool.reduceVolume", StoragePoolReduceVolumeArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id, allow_active=allow_active), deadline)
        return result

    async def refresh(
        self,
        storagepool_id: UUID,
        master_sd_uuid: UUID,
        master_version: Annotated[int, Meta(ge=0)],
        *,
        deadline: float | None = None,
    ) -> None:
        """Meant to make this host read the pool's metadata again after the master moved. It was never implemented by
        existing nodes; connecting to the pool once more has that effect.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        master_sd_uuid: Storage domain that the caller believes to be the pool's master; refused when the domain's
            metadata says otherwise.
        master_version: Version of the pool's master that the caller knows; it grows by one whenever the master
            moves, so an outdated master is recognised.
        Errors: StoragePoolUnknown, StoragePoolActionError, StoragePoolWrongMaster, ResourceTimeout.
        """
        await self._call("StoragePool.refresh", StoragePoolRefreshArgs(storagepool_id=storagepool_id, master_sd_uuid=master_sd_uuid, master_version=master_version), deadline)

    async def remove_vm(
        self,
        storagepool_id: UUID,
        vm_uuid: UUID,
        storagedomain_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Deletes the stored OVF description of a VM from an export domain or from the master domain. The VM's disks
        are not touched. Succeeds when there is none.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        vm_uuid: VM whose description is deleted.
        storagedomain_id: Export domain to delete from. When left out, the pool's master domain is used.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, StorageDomainAccessError,
            StorageDomainNotActive, ResourceTimeout.
        """
        await self._call("StoragePool.removeVM", StoragePoolRemoveVMArgs(storagepool_id=storagepool_id, vm_uuid=vm_uuid, storagedomain_id=storagedomain_id), deadline)

    async def set_description(
        self,
        storagepool_id: UUID,
        description: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Changes the pool's human-readable name in the master domain's metadata.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        description: New name; may hold any characters, but must fit into the metadata.
        Errors: StoragePoolUnknown, SpmStatusError, StoragePoolActionError, StoragePoolDescriptionTooLongError,
            ResourceTimeout.
        """
        await self._call("StoragePool.setDescription", StoragePoolSetDescriptionArgs(storagepool_id=storagepool_id, description=description), deadline)

    async def spm_start(
        self,
        storagepool_id: UUID,
        prev_id: Annotated[int, Meta(ge=-1, le=2000)],
        prev_lver: Annotated[int, Meta(ge=-1)],
        enable_scsi_fencing: bool = False,
        max_host_id: Annotated[int, Meta(ge=1, le=2000)] | None = None,
        dom_version: Annotated[int, Meta(ge=0, le=5)] | None = None,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that makes this host the pool's SPM: it takes the lease of the master domain, recovers
        unfinished storage tasks and begins to serve the other hosts' mailboxes. The lease keeps two hosts from ever
        being SPM at once. When the task fails the host stays a plain member.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        prev_id: Host number of the SPM that the caller saw last, -1 when there was none; a mismatch is only noted.
        prev_lver: Lease version that the caller saw last, -1 when unknown; it guards against two engines starting
            an SPM at once.
        enable_scsi_fencing: Once asked to fence the former SPM by SCSI reservation; still sent by engines and
            ignored.
        max_host_id: Highest host number in the pool, which sets how many mailboxes are watched. When left out, the
            format's maximum is used.
        dom_version: Domain format to which the pool's domains are upgraded once this host is SPM. When left out,
            the formats stay as they are.
        Returns: Id of the started task; this host is SPM when the task has finished with success.
        Errors: StoragePoolUnknown, SpmStartError, SpmParamsMismatch, SpmStatusError, UnsupportedDomainVersion,
            CurrentVersionTooAdvancedError, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("StoragePool.spmStart", StoragePoolSpmStartArgs(storagepool_id=storagepool_id, prev_id=prev_id, prev_lver=prev_lver, enable_scsi_fencing=enable_scsi_fencing, max_host_id=max_host_id, dom_version=dom_version), deadline)
        return result

    async def spm_stop(
        self,
        storagepool_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Gives up the SPM role: stops serving mailboxes, unmounts the master file system and releases the lease.
        Refused while storage tasks exist here that were not cleared yet. Succeeds when this host is not SPM.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        Errors: StoragePoolUnknown, SpmStopError, TaskInProgress, ReleaseLockFailure,
            StorageDomainMasterUnmountError, ResourceTimeout.
        """
        await self._call("StoragePool.spmStop", StoragePoolSpmStopArgs(storagepool_id=storagepool_id), deadline)

    async def switch_master(
        self,
        storagepool_id: UUID,
        old_master_uuid: UUID,
        new_master_uuid: UUID,
        master_version: Annotated[int, Meta(ge=0)],
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that moves the master role from one healthy domain of the pool to another, while the pool
        stays in use. When the task fails the old domain is still the master.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        old_master_uuid: Domain that is the master now.
        new_master_uuid: Active data domain that takes over the master role.
        master_version: Version for the new master; must be higher than the current one.
        Returns: Id of the started task.
        Errors: StoragePoolUnknown, SpmStatusError, StoragePoolWrongMaster, StorageDomainDoesNotExist,
            StorageDomainNotMemberOfPool, StorageDomainNotActive, IsoCannotBeMasterDomain,
            BackupCannotBeMasterDomain, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("StoragePool.switchMaster", StoragePoolSwitchMasterArgs(storagepool_id=storagepool_id, old_master_uuid=old_master_uuid, new_master_uuid=new_master_uuid, master_version=master_version), deadline)
        return result

    async def update_vms(
        self,
        storagepool_id: UUID,
        vm_list: list[UpdateVmDefinition],
        storagedomain_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Stores the OVF descriptions of VMs on an export domain or on the master domain, replacing earlier ones. On a
        failure some of the listed VMs may have been stored.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        vm_list: VMs to store, each with its description and its disks.
        storagedomain_id: Export domain to write to. When left out, the pool's master domain is used.
        Errors: StoragePoolUnknown, SpmStatusError, StorageUpdateVmError, StorageDomainDoesNotExist,
            StorageDomainAccessError, StorageDomainNotActive, StorageDomainTypeNotBackup, ResourceTimeout.
        """
        await self._call("StoragePool.updateVMs", StoragePoolUpdateVMsArgs(storagepool_id=storagepool_id, vm_list=vm_list, storagedomain_id=storagedomain_id), deadline)

    async def upgrade(
        self,
        storagepool_id: UUID,
        target_dom_version: Annotated[int, Meta(ge=0, le=5)],
        *,
        deadline: float | None = None,
    ) -> StoragePoolUpgradeStatus:
        """Begins to convert all domains of the pool to a newer format. Active domains are converted right away, others
        when they are next activated. There is no way back to an older format.

        storagepool_id: Pool that the call is about, as named by the engine when the pool was created.
        target_dom_version: Domain format wanted for the whole pool; engines send the number as text.
        Returns: Says that the upgrade has begun; its end shows in each domain's version.
        Errors: StoragePoolUnknown, SpmStatusError, PoolUpgradeInProgress, UnsupportedDomainVersion,
            CurrentVersionTooAdvancedError, StorageDomainAccessError, ResourceTimeout.
        """
        result: StoragePoolUpgradeStatus = await self._call("StoragePool.upgrade", StoragePoolUpgradeArgs(storagepool_id=storagepool_id, target_dom_version=target_dom_version), deadline)
        return result


class TaskVerbs(Group):
    """Long operations on storage that the host runs after the call that started them has returned. A task keeps its
    result until cleared; most run on the SPM and survive a change of SPM.
    """

    async def clear(
        self,
        task_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Forgets an ended task and removes its saved record, so that its id is unknown afterwards. A task that still
        runs is refused and stays; stop it first.

        task_id: The task to forget, as answered by the verb that started it.
        Errors: UnknownTask, TaskStateError, TaskClearError, TaskPersistError, TaskMetaDataSaveError.
        """
        await self._call("Task.clear", TaskClearArgs(task_id=task_id), deadline)

    async def get_info(
        self,
        task_id: UUID,
        *,
        deadline: float | None = None,
    ) -> TaskInfo:
        """Tells which verb started a task. Any task that was not cleared can be asked for.

        task_id: The task asked about, as answered by the verb that started it.
        Returns: Identity of the task and name of the verb behind it.
        Errors: UnknownTask.
        """
        result: TaskInfo = await self._call("Task.getInfo", TaskGetInfoArgs(task_id=task_id), deadline)
        return result

    async def get_status(
        self,
        task_id: UUID,
        *,
        deadline: float | None = None,
    ) -> TaskStatus:
        """Tells how far a task is and, once it has ended, whether it succeeded. The usual way to wait: ask every few
        seconds until the state is finished, then clear.

        task_id: The task asked about, as answered by the verb that started it.
        Returns: State, outcome and the last message of the task.
        Errors: UnknownTask.
        """
        result: TaskStatus = await self._call("Task.getStatus", TaskGetStatusArgs(task_id=task_id), deadline)
        return result

    async def revert(
        self,
        task_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Undoes an ended task by running its recovery steps, for example removing a half-made copy. Returns when the
        rollback has begun; follow it with getStatus. A running task is refused.

        task_id: The ended task whose effects are to be undone.
        Errors: UnknownTask, TaskStateError, TaskStateTransitionError.
        """
        await self._call("Task.revert", TaskRevertArgs(task_id=task_id), deadline)

    async def stop(
        self,
        task_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks a task to stop. It returns at once; the task goes through aborting, cleans up what its kind allows and
        ends with TaskAborted. On an ended task it does nothing.

        task_id: The task to end early, as answered by the verb that started it.
        Errors: UnknownTask, TaskStateError, TaskStateTransitionError.
        """
        await self._call("Task.stop", TaskStopArgs(task_id=task_id), deadline)


class VMVerbs(Group):
    """One virtual machine on this host: its life cycle, devices, guest, live migration, snapshots, backups and runtime
    limits. Every verb names the machine by its identifier.
    """

    async def backup_info(
        self,
        vm_id: UUID,
        backup_id: UUID,
        checkpoint_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> BackupInfo:
        """Reports the running backup of the VM: where each disk can be read and, when asked, the libvirt description
        of a checkpoint. Used by an engine that lost the answer of start_backup.

        vm_id: The VM whose backup is asked about.
        backup_id: Identifier that the caller gave to start_backup; any other value answers NoSuchBackupError.
        checkpoint_id: Checkpoint whose XML is wanted in the answer too; absent leaves the XML out.
        Returns: Read addresses of the disks in the backup and, if requested, the checkpoint XML.
        Errors: NoSuchVM, NoSuchBackupError, NoSuchCheckpointError, BackupError.
        """
        result: BackupInfo = await self._call("VM.backup_info", VMBackupInfoArgs(vm_id=vm_id, backup_id=backup_id, checkpoint_id=checkpoint_id), deadline)
        return result

    async def change_cd(
        self,
        vm_id: UUID,
        drive_spec: DriveSpec,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Replaces the medium in the VM's CD drive, or ejects it. The new image is prepared first and the old one
        released after the change; on failure the old medium stays in the drive.

        vm_id: The VM with the CD drive.
        drive_spec: The medium to load, as a path or as the four identifiers of a volume; an empty path ejects.
        Returns: The VM's definition after the change.
        Errors: NoSuchVM, VMIsDown, ChangeDiskFailed, ImageFileNotFound, CannotPrepareImage, InvalidParameter,
            ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.changeCD", VMChangeCDArgs(vm_id=vm_id, drive_spec=drive_spec), deadline)
        return result

    async def change_floppy(
        self,
        vm_id: UUID,
        drive_spec: DriveSpec,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Replaces the medium in the VM's floppy drive, or ejects it. On failure the former medium stays inserted.

        vm_id: The VM with the floppy drive.
        drive_spec: The floppy image to insert; an empty path leaves the drive empty.
        Returns: The VM's definition after the change.
        Errors: NoSuchVM, VMIsDown, ChangeDiskFailed, ImageFileNotFound, CannotPrepareImage, InvalidParameter,
            ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.changeFloppy", VMChangeFloppyArgs(vm_id=vm_id, drive_spec=drive_spec), deadline)
        return result

    async def cont(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Lets the virtual CPUs of a paused VM run again, whether it was paused by request or by a disk error. A VM
        that already runs stays as it is; one that is being saved, restored or migrated is refused.

        vm_id: The VM whose CPUs shall continue.
        Errors: NoSuchVM, VMIsDown, HookError, UnexpectedError.
        """
        await self._call("VM.cont", VMContArgs(vm_id=vm_id), deadline)

    async def create(
        self,
        vm_id: UUID,
        vm_params: VmParameters,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Starts a VM from its domain XML, or resumes it from saved memory. The answer comes as soon as the VM is
        accepted, with status WaitForLaunch; disks are prepared and QEMU is started afterwards, and VM_status events
        tell the outcome. A failed start leaves a VM in status Down with an exit code until destroy is called.

        vm_id: Identifier of the new VM, chosen by the caller; it must equal the UUID in the domain XML.
        vm_params: How the machine shall look; normally just the domain XML, or the volumes of a saved memory state.
        Returns: The accepted VM; its status is WaitForLaunch.
        Errors: VMExists, MissingParameter, InvalidParameter, UnsupportedVMType, CannotCreateVM, OutOfMemory,
            MigrationLimitExceeded, ExternalDataFailed, UnexpectedError.
        """
        result: VmDefinition = await self._call("VM.create", VMCreateArgs(vm_id=vm_id, vm_params=vm_params), deadline)
        return result

    async def delete_checkpoints(
        self,
        vm_id: UUID,
        checkpoint_ids: list[str],
        *,
        deadline: float | None = None,
    ) -> CheckpointsResponse:
        """Removes backup checkpoints and the disk bitmaps that belong to them, oldest first, and merges their change
        tracking into the following ones. It stops at the first failure and reports what has been removed until
        then.

        vm_id: The VM that owns the checkpoints.
        checkpoint_ids: Identifiers of the checkpoints to remove, from the oldest to the newest; unknown ones count
            as removed.
        Returns: The identifiers removed, and the error that ended the work early if there was one.
        Errors: NoSuchVM, VMIsDown, CheckpointError, InconsistentCheckpointError, ResourceUnavailable,
            InvalidParameter.
        """
        result: CheckpointsResponse = await self._call("VM.delete_checkpoints", VMDeleteCheckpointsArgs(vm_id=vm_id, checkpoint_ids=checkpoint_ids), deadline)
        return result

    async def desktop_lock(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks the guest agent to lock the graphical session of the user who is logged in. Success means that the
        agent accepted the request, not that the screen is locked.

        vm_id: The VM whose desktop shall be locked.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent.
        """
        await self._call("VM.desktopLock", VMDesktopLockArgs(vm_id=vm_id), deadline)

    async def desktop_login(
        self,
        vm_id: UUID,
        domain: str,
        username: str,
        password: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Hands credentials to the guest agent so that the user is logged in to the guest desktop without typing
        (single sign-on). The agent does not tell whether the login succeeded.

        vm_id: The VM in which the user shall be logged in.
        domain: Directory domain (realm) of the account; empty for an account local to the guest.
        username: Login name of the guest account, without the domain part.
        password: Password of the guest account; passed on to the agent, never stored or logged.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent.
        """
        await self._call("VM.desktopLogin", VMDesktopLoginArgs(vm_id=vm_id, domain=domain, username=username, password=password), deadline)

    async def desktop_logoff(
        self,
        vm_id: UUID,
        force: bool,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks the guest agent to end the session of the user who is logged in to the guest desktop. The answer only
        says that the agent took the request.

        vm_id: The VM whose desktop session shall end.
        force: True ends the session even when applications object; false lets them veto.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent.
        """
        await self._call("VM.desktopLogoff", VMDesktopLogoffArgs(vm_id=vm_id, force=force), deadline)

    async def desktop_send_hc_command(
        self,
        vm_id: UUID,
        message: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sends a command of the caller's own to the oVirt guest agent: a message with this name and no members.
        Agents ignore names that they do not know.

        vm_id: The VM whose agent receives the text.
        message: Name of the message, 1 to 255 characters; its meaning is agreed between client and guest.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent, InvalidParameter.
        """
        await self._call("VM.desktopSendHcCommand", VMDesktopSendHcCommandArgs(vm_id=vm_id, message=message), deadline)

    async def destroy(
        self,
        vm_id: UUID,
        graceful_attempts: UInt = 1,
        *,
        deadline: float | None = None,
    ) -> None:
        """Stops QEMU at once, as if power were cut, releases disks, leases and network ports, and forgets the VM on
        this host. Also removes a VM that is Down already. When QEMU cannot be killed, VMDestroyFailed is answered
        and the VM stays known.

        vm_id: The VM to kill and forget.
        graceful_attempts: How many times QEMU is asked to end with SIGTERM, so that it flushes its disks, before
            SIGKILL is used; 0 kills at once.
        Errors: NoSuchVM, VMDestroyFailed, UnexpectedError.
        """
        await self._call("VM.destroy", VMDestroyArgs(vm_id=vm_id, graceful_attempts=graceful_attempts), deadline)

    async def disk_replicate_finish(
        self,
        vm_id: UUID,
        src_disk: DriveSpecVolume,
        dst_disk: DriveSpecVolume,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ends a running mirror of a disk. With a destination different from the source the VM switches to the copy;
        with the source as destination the mirror is dropped and the VM stays on the source. Answers
        ResourceUnavailable while the copy has not caught up; nothing has changed then.

        vm_id: The VM whose disk is being mirrored.
        src_disk: The volume that the VM used when the mirror was started.
        dst_disk: The volume to use from now on: the copy to switch over, or the source again to give the copy up.
        Errors: NoSuchVM, VMIsDown, ImageFileNotFound, ReplicationNotInProgress, ReplicaError, ResourceUnavailable.
        """
        await self._call("VM.diskReplicateFinish", VMDiskReplicateFinishArgs(vm_id=vm_id, src_disk=src_disk, dst_disk=dst_disk), deadline)

    async def disk_replicate_start(
        self,
        vm_id: UUID,
        src_disk: DriveSpecVolume,
        dst_disk: DriveSpecVolume,
        need_extend: bool = True,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts mirroring a disk of the running VM to another volume: existing data is copied in the background and
        new writes go to both. Used to move a disk between storage domains while the VM runs. After a failure the VM
        still uses only the source.

        vm_id: The VM whose disk shall be mirrored.
        src_disk: The active volume of the disk, as the VM uses it now.
        dst_disk: The volume that receives the copy; it must exist already with the same virtual size.
        need_extend: True lets the host enlarge a thin destination on block storage before the copy starts; false
            when the caller has already sized it.
        Errors: NoSuchVM, VMIsDown, ImageFileNotFound, ReplicaError, DestinationVolumeTooSmall, CannotPrepareImage,
            ResourceUnavailable, InvalidParameter.
        """
        await self._call("VM.diskReplicateStart", VMDiskReplicateStartArgs(vm_id=vm_id, src_disk=src_disk, dst_disk=dst_disk, need_extend=need_extend), deadline)

    async def disk_size_extend(
        self,
        vm_id: UUID,
        drive_specs: DriveSpec,
        new_size: UInt,
        *,
        deadline: float | None = None,
    ) -> UInt:
        """Tells a running VM that a disk has become larger, after the volume itself was extended. With the all-zero VM
        identifier it only updates the size recorded in the volume's metadata, where it has one. Shrinking is
        refused.

        vm_id: The VM using the disk, or the all-zero UUID for a volume that no VM uses.
        drive_specs: The disk to resize, named by pool, domain, image and volume.
        new_size: Virtual size that the guest shall see from now on; rounded up to whole sectors. [bytes]
        Returns: The virtual size that the disk really has after the call.
        Errors: NoSuchVM, VMIsDown, ImageFileNotFound, BadDiskResizeParameter, ResourceUnavailable,
            UpdateDeviceFailed, InvalidParameter.
        """
        result: UInt = await self._call("VM.diskSizeExtend", VMDiskSizeExtendArgs(vm_id=vm_id, drive_specs=drive_specs, new_size=new_size), deadline)
        return result

    async def dump_checkpoint(
        self,
        vm_id: UUID,
        checkpoint_id: UUID,
        *,
        deadline: float | None = None,
    ) -> CheckpointInfo:
        """Returns libvirt's XML of one backup checkpoint, so that a client can keep it and restore it later with
        redefine_checkpoints.

        vm_id: The VM that owns the checkpoint.
        checkpoint_id: Identifier of the checkpoint whose description is wanted.
        Returns: The checkpoint's description in libvirt XML.
        Errors: NoSuchVM, VMIsDown, NoSuchCheckpointError, CheckpointError.
        """
        result: CheckpointInfo = await self._call("VM.dump_checkpoint", VMDumpCheckpointArgs(vm_id=vm_id, checkpoint_id=checkpoint_id), deadline)
        return result

    async def freeze(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Has the guest agent flush and freeze all guest file systems, so that a snapshot taken outside is consistent.
        Frozen file systems block every write of the guest until thaw; a guest that nobody thaws is thawed by the
        agent after a configured time (180 s unless changed). After an error nothing stays frozen.

        vm_id: The VM whose file systems shall be frozen.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent, FreezeGuestFSFailed, UnsupportedOperation.
        """
        await self._call("VM.freeze", VMFreezeArgs(vm_id=vm_id), deadline)

    async def get_disk_alignment(
        self,
        vm_id: UUID,
        disk: DriveSpecVolume,
        *,
        deadline: float | None = None,
    ) -> DiskAlignmentMap:
        """Reports for each partition of a disk that no VM uses whether it begins on a boundary that suits the storage.
        Works only with the all-zero VM identifier and is kept for old clients.

        vm_id: The all-zero UUID; a real VM is refused.
        disk: The volume whose partition table is examined.
        Returns: One verdict for every partition found on the disk.
        Errors: ImageFileNotFound, CannotPrepareImage, UnsupportedOperation, InvalidParameter.
        """
        result: DiskAlignmentMap = await self._call("VM.getDiskAlignment", VMGetDiskAlignmentArgs(vm_id=vm_id, disk=disk), deadline)
        return result

    async def get_external_data(
        self,
        vm_id: UUID,
        kind: str,
        last_hash: str | None = None,
        force_update: bool = True,
        *,
        deadline: float | None = None,
    ) -> VmDataMap:
        """Returns state that QEMU or its helpers keep outside the disks (TPM contents or firmware variables), so that
        the engine can store it and hand it back at the next start. The data holds secrets of the guest.

        vm_id: The VM whose external state is read.
        kind: Which state is wanted: tpm for the emulated TPM, nvram for UEFI variables.
        last_hash: Hash from an earlier answer; when the data still has this hash, only the hash is returned. Absent
            always returns data.
        force_update: Data that keeps changing for 10 s: true takes a whole copy all the same, false answers the
            copy read last or fails. Data that rests is read in any case.
        Returns: The state and its hash; without data when nothing changed.
        Errors: NoSuchVM, ExternalDataFailed, InvalidParameter.
        """
        result: VmDataMap = await self._call("VM.getExternalData", VMGetExternalDataArgs(vm_id=vm_id, kind=kind, last_hash=last_hash, force_update=force_update), deadline)
        return result

    async def get_info(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Returns what this host knows about the definition of one VM, including its current domain XML.

        vm_id: The VM to describe.
        Returns: Definition and present status of the VM.
        Errors: NoSuchVM.
        """
        result: VmDefinition = await self._call("VM.getInfo", VMGetInfoArgs(vm_id=vm_id), deadline)
        return result

    async def get_io_tune(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[VmDiskDeviceTuneParams]:
        """Returns the I/O limits that QEMU applies to each disk of the VM at this moment.

        vm_id: The VM whose disk limits are read.
        Returns: One entry for every disk that can be limited; a limit of 0 means unlimited.
        Errors: NoSuchVM, VMIsDown, UpdateIOTuneError.
        """
        result: list[VmDiskDeviceTuneParams] = await self._call("VM.getIoTune", VMGetIoTuneArgs(vm_id=vm_id), deadline)
        return result

    async def get_io_tune_policy(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[VmDiskDeviceTuneLimits]:
        """Returns the guaranteed and the maximum I/O limits that an administrator assigned to the VM's disks. A local
        policy manager moves the real limits between the two.

        vm_id: The VM whose policy is read.
        Returns: One entry per disk with a policy; an empty list when none is set.
        Errors: NoSuchVM, InvalidParameter.
        """
        result: list[VmDiskDeviceTuneLimits] = await self._call("VM.getIoTunePolicy", VMGetIoTunePolicyArgs(vm_id=vm_id), deadline)
        return result

    async def get_migration_status(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> MigrationStats:
        """Reports how far the outgoing migration or the saving of the VM's memory has come. Clients should rather
        listen to VM_migration_status events.

        vm_id: The VM that is being migrated or saved.
        Returns: Progress while the transfer runs, downtime once it has ended.
        Errors: NoSuchVM, MigrationNotInProgress.
        """
        result: MigrationStats = await self._call("VM.getMigrationStatus", VMGetMigrationStatusArgs(vm_id=vm_id), deadline)
        return result

    async def get_stats(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[VmStats]:
        """Returns the latest measurements of one VM: CPU, memory, disks, network, guest agent data and status. Values
        come from periodic sampling and may be some seconds old; a hanging QEMU does not delay the answer.

        vm_id: The VM to report on.
        Returns: A list with exactly one entry, the statistics of this VM.
        Errors: NoSuchVM, HookError.
        """
        result: list[VmStats] = await self._call("VM.getStats", VMGetStatsArgs(vm_id=vm_id), deadline)
        return result

    async def get_xml_difference(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[XmlChange]:
        """Tells what the host changed in the domain XML that it was given before libvirt got it, element by element;
        order, white space and units do not count. Passwords are never shown.

        vm_id: The VM whose description is compared.
        Returns: The changes in the order of the document; an empty list when there was none, or when this host
            found the VM without a record of its own.
        Errors: NoSuchVM.
        """
        result: list[XmlChange] = await self._call("VM.getXmlDifference", VMGetXmlDifferenceArgs(vm_id=vm_id), deadline)
        return result

    async def hibernate(
        self,
        vm_id: UUID,
        hibernation_vol_handle: HibernationVolumeHandle,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts saving the VM's memory and configuration to two prepared volumes. The call returns at once; the VM
        shows Saving State, then Down with exit reason 5. If saving fails, the VM runs on.

        vm_id: The VM to suspend to disk.
        hibernation_vol_handle: The two volumes that receive memory and configuration; they must exist and be large
            enough.
        Errors: NoSuchVM, VMIsDown, MigrationInProgress, MigrationError, HookError, InvalidParameter.
        """
        await self._call("VM.hibernate", VMHibernateArgs(vm_id=vm_id, hibernation_vol_handle=hibernation_vol_handle), deadline)

    async def hotplug_disk(
        self,
        vm_id: UUID,
        params: HotplugDiskParams,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Attaches a disk to the running VM. The volume is prepared first; on failure it is released again and the VM
        is unchanged.

        vm_id: The VM that gets the disk.
        params: The disk to attach, as device XML or as the older device fields.
        Returns: The VM's definition with the new disk.
        Errors: NoSuchVM, VMIsDown, HotplugDiskFailed, CannotPrepareImage, HookError, MissingParameter,
            MigrationInProgress, InvalidParameter, ResourceUnavailable.
        """
        result: VmDefinition = await self._call("VM.hotplugDisk", VMHotplugDiskArgs(vm_id=vm_id, params=params), deadline)
        return result

    async def hotplug_hostdev(
        self,
        vm_id: UUID,
        devices: list[str],
        *,
        deadline: float | None = None,
    ) -> list[str]:
        """Passes devices of the host through to the running VM. Each device is detached from its host driver first;
        devices that cannot be attached are returned to the host and left out of the answer.

        vm_id: The VM that gets the devices.
        devices: Names of host devices as libvirt's node device list gives them, such as pci_0000_3b_00_1.
        Returns: Names of the devices that are attached now; shorter than the request when some failed.
        Errors: NoSuchVM, VMIsDown, HostdevDetachFailed, UnexpectedError, InvalidParameter, ResourceUnavailable,
            MigrationInProgress.
        """
        result: list[str] = await self._call("VM.hotplugHostdev", VMHotplugHostdevArgs(vm_id=vm_id, devices=devices), deadline)
        return result

    async def hotplug_lease(
        self,
        vm_id: UUID,
        lease: VmLeaseDevice,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Adds a storage lease to the running VM: the host acquires it for QEMU, which keeps a second host from
        starting the same VM. On failure no lease is held.

        vm_id: The VM that shall hold the lease.
        lease: The lease to acquire; it must exist on its storage domain.
        Returns: The VM's definition with the new lease.
        Errors: NoSuchVM, VMIsDown, HotplugLeaseFailed, MissingParameter, InvalidParameter, ResourceUnavailable,
            MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.hotplugLease", VMHotplugLeaseArgs(vm_id=vm_id, lease=lease), deadline)
        return result

    async def hotplug_memory(
        self,
        vm_id: UUID,
        params: HotplugMemoryParams,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Adds a memory module to the running VM within the maximum that was fixed at start. A free memory slot is
        needed.

        vm_id: The VM that gets more memory.
        params: The module to add, as device XML or as the older device fields.
        Returns: The VM's definition with the added module.
        Errors: NoSuchVM, VMIsDown, HotplugMemFailed, HookError, MissingParameter, InvalidParameter,
            ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.hotplugMemory", VMHotplugMemoryArgs(vm_id=vm_id, params=params), deadline)
        return result

    async def hotplug_nic(
        self,
        vm_id: UUID,
        params: HotplugNicParams,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Attaches a network interface to the running VM and waits for the device when it is a host function. On
        failure the interface is removed again.

        vm_id: The VM that gets the interface.
        params: The interface to attach, as device XML or as the older device fields.
        Returns: The VM's definition with the new interface.
        Errors: NoSuchVM, VMIsDown, HotplugNicFailed, HookError, MissingParameter, MigrationInProgress,
            InvalidParameter, ResourceUnavailable.
        """
        result: VmDefinition = await self._call("VM.hotplugNic", VMHotplugNicArgs(vm_id=vm_id, params=params), deadline)
        return result

    async def hotunplug_disk(
        self,
        vm_id: UUID,
        params: HotplugDiskParams,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Asks the guest to give a disk up and waits until it is gone, then releases the volume. When the guest does
        not react in time the call fails; the disk then stays usable but may still vanish later.

        vm_id: The VM that loses the disk.
        params: The disk to detach, as device XML or as its identifying fields.
        Returns: The VM's definition without the disk.
        Errors: NoSuchVM, VMIsDown, HotunplugDiskFailed, ImageFileNotFound, HookError, MissingParameter,
            InvalidParameter, ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.hotunplugDisk", VMHotunplugDiskArgs(vm_id=vm_id, params=params), deadline)
        return result

    async def hotunplug_hostdev(
        self,
        vm_id: UUID,
        devices: list[str],
        *,
        deadline: float | None = None,
    ) -> list[str]:
        """Takes host devices away from the running VM and gives them back to the host. Devices that could not be
        removed are left out of the answer.

        vm_id: The VM that loses the devices.
        devices: Names of the host devices to remove, as given when they were attached.
        Returns: Names of the devices that are really gone from the VM.
        Errors: NoSuchVM, VMIsDown, UnexpectedError, InvalidParameter, ResourceUnavailable, MigrationInProgress.
        """
        result: list[str] = await self._call("VM.hotunplugHostdev", VMHotunplugHostdevArgs(vm_id=vm_id, devices=devices), deadline)
        return result

    async def hotunplug_lease(
        self,
        vm_id: UUID,
        lease: VmLeaseDevice,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Drops a storage lease of the running VM, so that another host may acquire it. On failure the lease is still
        held.

        vm_id: The VM that holds the lease.
        lease: The lease to drop, named by storage domain and lease identifier.
        Returns: The VM's definition without the lease.
        Errors: NoSuchVM, VMIsDown, HotunplugLeaseFailed, MissingParameter, InvalidParameter, ResourceUnavailable,
            MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.hotunplugLease", VMHotunplugLeaseArgs(vm_id=vm_id, lease=lease), deadline)
        return result

    async def hotunplug_memory(
        self,
        vm_id: UUID,
        params: HotplugMemoryParams,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks the guest to give a memory module back. The answer only means that the guest was asked; the module
        disappears from the domain XML when the guest agrees, which it may never do.

        vm_id: The VM that shall give memory back.
        params: The module to remove, as device XML or named by its device fields.
        Errors: NoSuchVM, VMIsDown, HotunplugMemFailed, MissingParameter, InvalidParameter, ResourceUnavailable,
            MigrationInProgress.
        """
        await self._call("VM.hotunplugMemory", VMHotunplugMemoryArgs(vm_id=vm_id, params=params), deadline)

    async def hotunplug_nic(
        self,
        vm_id: UUID,
        params: HotplugNicParams,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Removes a network interface from the running VM and waits until the guest has let it go. On failure the
        interface keeps working.

        vm_id: The VM that loses the interface.
        params: The interface to detach, as device XML or named by its MAC address.
        Returns: The VM's definition without the interface.
        Errors: NoSuchVM, VMIsDown, HotunplugNicFailed, HookError, MissingParameter, InvalidParameter,
            ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.hotunplugNic", VMHotunplugNicArgs(vm_id=vm_id, params=params), deadline)
        return result

    async def list_checkpoints(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> list[UUID]:
        """Lists the backup checkpoints that libvirt knows for the running VM. After a fresh start the list is empty
        until the checkpoints are redefined.

        vm_id: The VM whose checkpoints are listed.
        Returns: Identifiers of the checkpoints, from the oldest to the newest.
        Errors: NoSuchVM, VMIsDown, CheckpointError.
        """
        result: list[UUID] = await self._call("VM.list_checkpoints", VMListCheckpointsArgs(vm_id=vm_id), deadline)
        return result

    async def merge(
        self,
        vm_id: UUID,
        drive: DriveSpecVolume,
        base_vol_uuid: UUID,
        top_vol_uuid: UUID,
        bandwidth_mib_per_second: int = 0,
        job_uuid: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a live merge: data of a chain of volumes is written down into an older volume while the VM runs, so
        that snapshots can be removed. The call starts a job and returns; progress is part of the VM's statistics.
        When the active volume is merged, the VM switches to the base at the end.

        vm_id: The VM that uses the disk.
        drive: The disk to work on, named by its active volume.
        base_vol_uuid: Volume that receives the data and remains; must be older in the chain than the top.
        top_vol_uuid: Newest volume whose data is merged down; it and all volumes above the base become superfluous.
        bandwidth_mib_per_second: Limit of the copy speed; 0 means no limit. [MiB/s]
        job_uuid: Identifier under which the job appears in the statistics; absent lets the host choose one.
        Errors: NoSuchVM, VMIsDown, MergeFailed, ImageFileNotFound, JobExists, CannotPrepareImage,
            DestinationVolumeTooSmall, ResourceUnavailable, InvalidParameter.
        """
        await self._call("VM.merge", VMMergeArgs(vm_id=vm_id, drive=drive, base_vol_uuid=base_vol_uuid, top_vol_uuid=top_vol_uuid, bandwidth_mib_per_second=bandwidth_mib_per_second, job_uuid=job_uuid), deadline)

    async def migrate(
        self,
        vm_id: UUID,
        params: MigrateParams,
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts moving the VM to another host, or saving it when mode is file. The call returns once the work has
        begun; events report progress and the end. After success the VM is Down here with exit reason 4; after a
        failure it keeps running here, unless post-copy had begun.

        vm_id: The VM to move.
        params: Destination, limits and methods of the transfer.
        Errors: NoSuchVM, VMIsDown, MigrationInProgress, MigrationError, MissingParameter, InvalidParameter,
            NoConnectionToPeer, HookError.
        """
        await self._call("VM.migrate", VMMigrateArgs(vm_id=vm_id, params=params), deadline)

    async def migrate_cancel(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Stops the outgoing migration, or the saving of memory, in progress. The VM continues on this host. A
        migration whose post-copy phase runs cannot be cancelled.

        vm_id: The VM whose migration shall stop.
        Errors: NoSuchVM, MigrationNotInProgress, MigrationCancelationFailed.
        """
        await self._call("VM.migrateCancel", VMMigrateCancelArgs(vm_id=vm_id), deadline)

    async def migrate_change_params(
        self,
        vm_id: UUID,
        params: MigrationParameters,
        *,
        deadline: float | None = None,
    ) -> None:
        """Changes limits of an outgoing migration while it runs. After an error the former limits stay in force.

        vm_id: The VM that is being migrated.
        params: The limits to change; fields left out stay as they are.
        Errors: NoSuchVM, MigrationNotInProgress, MigrationOperationError, InvalidParameter.
        """
        await self._call("VM.migrateChangeParams", VMMigrateChangeParamsArgs(vm_id=vm_id, params=params), deadline)

    async def migration_create(
        self,
        vm_id: UUID,
        params: VmDefinition,
        incoming_limit: UInt | None = None,
        *,
        deadline: float | None = None,
    ) -> MigrationCreateState:
        """Called by the source host's agent: prepares disks, networks and the VM entry on this host so that libvirt
        can receive the VM. It answers when everything is ready. MigrationLimitExceeded asks the source to try again
        later. After any error nothing of the VM remains here.

        vm_id: Identifier of the VM that will arrive.
        params: The VM as the source host runs it, with its domain XML.
        incoming_limit: How many migrations this host may receive at the same time from now on; absent keeps the
            present limit. A plain count above 0.
        Returns: What the source needs to begin the transfer.
        Errors: VMExists, MissingParameter, InvalidParameter, CannotCreateVM, MigrationLimitExceeded, HookError,
            OutOfMemory, UnexpectedError.
        """
        result: MigrationCreateState = await self._call("VM.migrationCreate", VMMigrationCreateArgs(vm_id=vm_id, params=params, incoming_limit=incoming_limit), deadline)
        return result

    async def pause(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Stops the virtual CPUs of the VM; memory and devices stay as they are. A VM that is paused already stays
        paused; one that is being saved, restored or migrated is refused.

        vm_id: The VM whose CPUs shall stop.
        Errors: NoSuchVM, VMIsDown, HookError, UnexpectedError.
        """
        await self._call("VM.pause", VMPauseArgs(vm_id=vm_id), deadline)

    async def redefine_checkpoints(
        self,
        vm_id: UUID,
        checkpoints: list[Checkpoint],
        *,
        deadline: float | None = None,
    ) -> CheckpointsResponse:
        """Gives libvirt the descriptions of backup checkpoints that it lost when the VM was stopped or moved, so that
        incremental backups work again. Done in order; it stops at the first failure and reports what has been
        defined until then.

        vm_id: The VM that owns the checkpoints.
        checkpoints: The complete chain of checkpoints, from the oldest to the newest, each with XML or with the
            data to build it.
        Returns: The identifiers defined, and the error that ended the work early if there was one.
        Errors: NoSuchVM, VMIsDown, CheckpointError, InconsistentCheckpointError, ResourceUnavailable,
            ImageFileNotFound, InvalidParameter, MissingParameter.
        """
        result: CheckpointsResponse = await self._call("VM.redefine_checkpoints", VMRedefineCheckpointsArgs(vm_id=vm_id, checkpoints=checkpoints), deadline)
        return result

    async def refresh_disk(
        self,
        vm_id: UUID,
        drive: DriveSpecVolume,
        *,
        deadline: float | None = None,
    ) -> VolumeSizeInfo:
        """Makes this host see the present size of a volume that another host extended, and resumes the VM when it was
        waiting for the space. Used for thin volumes on block storage during migrations.

        vm_id: The VM using the volume.
        drive: The disk to look at again, named by its active volume.
        Returns: Sizes of the volume as this host sees them after the refresh.
        Errors: NoSuchVM, VMIsDown, DriveRefreshError, CannotRefreshDisk, DiskRefreshNotSupported,
            ImageFileNotFound, InvalidParameter.
        """
        result: VolumeSizeInfo = await self._call("VM.refresh_disk", VMRefreshDiskArgs(vm_id=vm_id, drive=drive), deadline)
        return result

    async def reset(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Presses the virtual reset button: the guest restarts at once without shutting down, and unsaved data in the
        guest is lost.

        vm_id: The VM whose guest is to start from its firmware again.
        Errors: NoSuchVM, VMIsDown, ResetFailed.
        """
        await self._call("VM.reset", VMResetArgs(vm_id=vm_id), deadline)

    async def screenshot(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> ScreenshotResponse:
        """Returns a picture of the VM's first display at this moment. It may show private data of the guest, therefore
        reading it needs more than the right to observe.

        vm_id: The VM whose display is captured.
        Returns: The picture with its format.
        Errors: NoSuchVM, VMIsDown, UnsupportedOperation, UnexpectedError.
        """
        result: ScreenshotResponse = await self._call("VM.screenshot", VMScreenshotArgs(vm_id=vm_id), deadline)
        return result

    async def seal(
        self,
        vm_id: UUID,
        job_id: UUID,
        sp_id: UUID,
        images: list[VolumeInfo],
        *,
        deadline: float | None = None,
    ) -> None:
        """Starts a job that removes machine-specific data (host keys, MAC addresses, host name, logs) from the disks
        of a VM that is not running, so that they can serve as a template. The call returns when the job is queued;
        Host.getJobs shows the result.

        vm_id: The VM whose disks are sealed; it need not exist on this host.
        job_id: Identifier under which the job can be followed; chosen by the caller.
        sp_id: Storage pool that holds the disks.
        images: Volumes to seal; together they are all disks of the VM.
        Errors: JobExists, InvalidParameter, UnsupportedOperation, ImageFileNotFound, ResourceUnavailable.
        """
        await self._call("VM.seal", VMSealArgs(vm_id=vm_id, job_id=job_id, sp_id=sp_id, images=images), deadline)

    async def set_balloon_target(
        self,
        vm_id: UUID,
        target: UInt,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets the amount of memory that the guest's balloon driver shall leave to the guest. The guest follows over
        time and only when it has the driver.

        vm_id: The VM whose balloon is adjusted.
        target: Memory the guest shall keep; between its guaranteed minimum and its full memory size. [bytes]
        Errors: NoSuchVM, VMIsDown, BalloonError.
        """
        await self._call("VM.setBalloonTarget", VMSetBalloonTargetArgs(vm_id=vm_id, target=target), deadline)

    async def set_cpu_tune_period(
        self,
        vm_id: UUID,
        period_us: Annotated[int, Meta(ge=0, le=1000000)],
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets the length of the scheduler interval in which the CPU quota of each virtual CPU is counted.

        vm_id: The VM whose CPU limit is adjusted.
        period_us: Length of the interval, 1000 to 1000000; 0 keeps the kernel's default of 100000. [us]
        Errors: NoSuchVM, VMIsDown, CpuTuneError.
        """
        await self._call("VM.setCpuTunePeriod", VMSetCpuTunePeriodArgs(vm_id=vm_id, period_us=period_us), deadline)

    async def set_cpu_tune_quota(
        self,
        vm_id: UUID,
        quota_us: int,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets how much CPU time each virtual CPU may use within one scheduler interval.

        vm_id: The VM whose CPU limit is adjusted.
        quota_us: CPU time per virtual CPU and interval, at least 1000; a negative value removes the limit. [us]
        Errors: NoSuchVM, VMIsDown, CpuTuneError.
        """
        await self._call("VM.setCpuTuneQuota", VMSetCpuTuneQuotaArgs(vm_id=vm_id, quota_us=quota_us), deadline)

    async def set_destroy_on_reboot(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Marks the VM so that the next reboot of the guest ends it instead of restarting. The engine uses this to
        start the VM anew with a changed configuration. The mark lasts until the VM ends.

        vm_id: The VM that shall end when its guest reboots.
        Errors: NoSuchVM, VMIsDown, UnexpectedError.
        """
        await self._call("VM.setDestroyOnReboot", VMSetDestroyOnRebootArgs(vm_id=vm_id), deadline)

    async def set_io_tune(
        self,
        vm_id: UUID,
        tunables: list[VmDiskDeviceTuneParams],
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets the I/O limits of disks of the running VM at once. Disks that are not named keep their limits; when one
        disk fails, those before it are already changed.

        vm_id: The VM whose disks are limited.
        tunables: New limits, one entry for every disk to change, named by device name or path.
        Errors: NoSuchVM, VMIsDown, UpdateIOTuneError, InvalidParameter.
        """
        await self._call("VM.setIoTune", VMSetIoTuneArgs(vm_id=vm_id, tunables=tunables), deadline)

    async def set_number_of_cpus(
        self,
        vm_id: UUID,
        number_of_cpus: Annotated[int, Meta(ge=1)],
        cpusets: list[str] | None = None,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Changes the number of virtual CPUs that are online in the running VM, up to the maximum fixed at start.
        Removing CPUs needs the cooperation of the guest.

        vm_id: The VM that gets or loses CPUs.
        number_of_cpus: Count of virtual CPUs that shall be online after the call.
        cpusets: For every virtual CPU, in order, the host CPUs it may run on, such as 2-3; absent leaves placement
            to the policy.
        Returns: The VM's definition with the new number of CPUs.
        Errors: NoSuchVM, VMIsDown, SetNumberOfCpusFailed, MissingParameter, HookError, InvalidParameter,
            ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.setNumberOfCpus", VMSetNumberOfCpusArgs(vm_id=vm_id, number_of_cpus=number_of_cpus, cpusets=cpusets), deadline)
        return result

    async def set_ticket(
        self,
        vm_id: UUID,
        password: str,
        ttl: int,
        existing_conn_action: VmTicketConflictAction = VmTicketConflictAction('disconnect'),
        params: StringMap | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Sets the password with which a user may open the VM's first graphical console, and for how long it is valid.
        With VNC it opens one connection; with SPICE, whose clients open several, it holds until its time is over.

        vm_id: The VM whose console is opened.
        password: Console password; an empty one closes the console for new connections. VNC uses only 8 characters.
        ttl: Time during which the password opens new connections; 0 ends it at once. [s]
        existing_conn_action: What happens to a client that is connected to the console already.
        params: Details for hooks and logs: userName and userId of the person. And disconnectAction, what happens in
            the guest when its last console client has gone, until another one is set: NONE, LOCK_SCREEN (at first),
            LOGOUT, SHUTDOWN or REBOOT.
        Errors: NoSuchVM, VMIsDown, SpiceTicketError, HookError, InvalidParameter.
        """
        await self._call("VM.setTicket", VMSetTicketArgs(vm_id=vm_id, password=password, ttl=ttl, existing_conn_action=existing_conn_action, params=params), deadline)

    async def shutdown(
        self,
        vm_id: UUID,
        delay: UInt | None = None,
        message: str | None = None,
        reboot: bool = False,
        timeout: UInt | None = None,
        force: bool = False,
        *,
        deadline: float | None = None,
    ) -> None:
        """Asks the guest to shut down or restart, first by its agent, then by the ACPI power button. The call returns
        when the first request is sent; the VM shows Powering down or RebootInProgress. Without force a guest that
        ignores all requests runs on.

        vm_id: The VM to shut down or restart.
        delay: Warning time that the guest's users get before the shutdown begins; absent means none. [s]
        message: Text that the guest agent shows to the guest's users; absent shows a general notice.
        reboot: True restarts the guest afterwards, false leaves it powered off.
        timeout: Waiting time before the next, harder method is tried; absent uses vms.shutdown_seconds of the
            host's configuration, 30 unless changed. [s]
        force: True ends in destroying or resetting the VM when every polite method failed.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent, UnexpectedError.
        """
        await self._call("VM.shutdown", VMShutdownArgs(vm_id=vm_id, delay=delay, message=message, reboot=reboot, timeout=timeout, force=force), deadline)

    async def snapshot(
        self,
        vm_id: UUID,
        snap_drives: list[SnapshotDriveInfo],
        snap_memory: str | None = None,
        frozen: bool = False,
        job_uuid: UUID | None = None,
        timeout_minutes: UInt = 30,
        freeze_timeout_minutes: UInt = 8,
        *,
        deadline: float | None = None,
    ) -> None:
        """Takes a live snapshot: each named disk goes on writing to a new volume, and the VM's memory is saved too
        when asked. All disks switch together or none does. With jobUUID the call starts a job, whose events and
        Host.getJobs show the end; without it the call answers when the snapshot is taken.

        vm_id: The VM to take the snapshot of.
        snap_drives: Disks in the snapshot, each with its present volume and the prepared new one; may be empty for
            memory only.
        snap_memory: Handle of the volumes that receive memory and configuration, in the form of
            HibernationVolumeHandle or as two paths joined by a comma; absent saves disks only.
        frozen: True when the caller froze the guest's file systems itself; the host then neither freezes nor thaws
            them.
        job_uuid: Identifier under which the snapshot job can be followed; absent makes the call wait for the end of
            the snapshot.
        timeout_minutes: Longest time for the snapshot with memory; the job is aborted when it is over. [min]
        freeze_timeout_minutes: Longest time the guest's file systems may stay frozen; the snapshot fails when it is
            exceeded. [min]
        Errors: NoSuchVM, VMIsDown, SnapshotFailed, JobExists, ImageFileNotFound, CannotPrepareImage,
            MigrationInProgress, MissingParameter, ResourceUnavailable, InvalidParameter.
        """
        await self._call("VM.snapshot", VMSnapshotArgs(vm_id=vm_id, snap_drives=snap_drives, snap_memory=snap_memory, frozen=frozen, job_uuid=job_uuid, timeout_minutes=timeout_minutes, freeze_timeout_minutes=freeze_timeout_minutes), deadline)

    async def start_backup(
        self,
        vm_id: UUID,
        config: BackupConfig,
        *,
        deadline: float | None = None,
    ) -> BackupInfo:
        """Starts a pull backup: QEMU freezes the contents of the named disks at one moment and offers them for reading
        over NBD while the VM runs on. A checkpoint may be created with it, as base of later incremental backups.
        Ends with stop_backup; after an error no backup is active.

        vm_id: The VM to back up.
        config: Disks, identifiers and checkpoints of the backup.
        Returns: Read address of every disk and, when a checkpoint was made, its XML.
        Errors: NoSuchVM, VMIsDown, BackupError, CheckpointError, InconsistentCheckpointError,
            NoSuchCheckpointError, UnsupportedOperation, ResourceUnavailable, ImageFileNotFound, InvalidParameter.
        """
        result: BackupInfo = await self._call("VM.start_backup", VMStartBackupArgs(vm_id=vm_id, config=config), deadline)
        return result

    async def stop_backup(
        self,
        vm_id: UUID,
        backup_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ends a backup: the read addresses vanish and scratch data is given up; a checkpoint created with it remains.
        A backup that is over already counts as stopped.

        vm_id: The VM whose backup ends.
        backup_id: Identifier that was given to start_backup.
        Errors: NoSuchVM, BackupError.
        """
        await self._call("VM.stop_backup", VMStopBackupArgs(vm_id=vm_id, backup_id=backup_id), deadline)

    async def thaw(
        self,
        vm_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Has the guest agent release file systems that were frozen before. Harmless when nothing is frozen. When the
        agent had to thaw them before, because their time was over, the next call fails with ThawGuestFSFailed
        although they work: what was copied meanwhile is not consistent.

        vm_id: The VM whose file systems shall work again.
        Errors: NoSuchVM, VMIsDown, NonResponsiveGuestAgent, ThawGuestFSFailed, UnsupportedOperation.
        """
        await self._call("VM.thaw", VMThawArgs(vm_id=vm_id), deadline)

    async def update_device(
        self,
        vm_id: UUID,
        params: vmUpdateDeviceParams,
        *,
        deadline: float | None = None,
    ) -> VmDefinition:
        """Changes a device of the running VM in place: the network or link of an interface, the password of a
        graphical console, or any device given as XML. On failure the former state is put back as far as possible.

        vm_id: The VM that has the device.
        params: The device and what to change; which form it has depends on the device.
        Returns: The VM's definition after the change.
        Errors: NoSuchVM, VMIsDown, UpdateDeviceFailed, SpiceTicketError, MissingParameter, HookError,
            InvalidParameter, ResourceUnavailable, MigrationInProgress.
        """
        result: VmDefinition = await self._call("VM.updateDevice", VMUpdateDeviceArgs(vm_id=vm_id, params=params), deadline)
        return result

    async def update_vm_policy(
        self,
        vm_id: UUID,
        params: UpdateVmPolicyParams,
        *,
        deadline: float | None = None,
    ) -> None:
        """Stores limits that the local policy manager shall observe for the VM: a ceiling for its CPU use and ranges
        for disk I/O. They are kept in the domain's metadata and travel with the VM.

        vm_id: The VM whose policy is changed.
        params: The limits to store; a field left out keeps the value stored before.
        Errors: NoSuchVM, VMIsDown, UpdateVMPolicyFailed, MissingParameter, InvalidParameter.
        """
        await self._call("VM.updateVmPolicy", VMUpdateVmPolicyArgs(vm_id=vm_id, params=params), deadline)


class VolumeVerbs(Group):
    """A volume is one layer of a disk: a file on file storage, a logical volume on block storage, with metadata beside
    it. Volumes of an image form a chain in which each layer holds what changed since its parent; VMs write to the
    last one, the leaf.
    """

    async def copy(
        self,
        volume_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        dst_img_uuid: UUID,
        dst_vol_uuid: UUID,
        dst_sd_uuid: UUID | None = None,
        desc: str = '',
        vol_type: VolumeRoleId = VolumeRoleId(6),
        vol_format: VolumeFormatId = VolumeFormatId(3),
        preallocate: VolumeAllocationId = VolumeAllocationId(0),
        post_zero: bool = False,
        force: bool = False,
        discard: bool = False,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that flattens a volume and all its parents into one new volume, in the same or another domain.
        The source stays untouched and must not be written meanwhile. A failed copy is removed again, unless force
        was given, which leaves it marked illegal.

        volume_id: Volume to read; the copy has the contents of the disk as seen at this volume.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the source.
        image_id: Image to which the source volume belongs.
        dst_sd_uuid: Domain that receives the copy; all zero or left out means the source's domain.
        dst_img_uuid: Id for the new image, chosen by the engine.
        dst_vol_uuid: Id for the new volume, chosen by the engine.
        desc: Description to store with the new volume, often JSON made by the engine; cut at 210 bytes.
        vol_type: Role of the new volume: 6 to make it a template, 8 for an ordinary disk.
        vol_format: Format of the new volume; 3 keeps the source's format.
        preallocate: Allocation of the new volume; 0 keeps the source's.
        post_zero: True overwrites the removed data with zeros, for disks that hold secrets; ignored on file
            storage. Engines send it as text.
        force: True replaces a volume that already has the wanted id, and lets an incomplete copy remain. Engines
            send it as text.
        discard: True tells block storage, before a volume is removed, that its blocks are free; storage without
            discard support ignores it.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, CopyImageError, IncorrectFormat,
            IncorrectType, InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Volume.copy", VolumeCopyArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, dst_sd_uuid=dst_sd_uuid, dst_img_uuid=dst_img_uuid, dst_vol_uuid=dst_vol_uuid, desc=desc, vol_type=vol_type, vol_format=vol_format, preallocate=preallocate, post_zero=post_zero, force=force, discard=discard), deadline)
        return result

    async def create(
        self,
        volume_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        size: UInt,
        vol_format: VolumeFormatId,
        preallocate: VolumeAllocationId,
        disk_type: DiskContentType = DiskContentType('DATA'),
        desc: str = '',
        src_img_uuid: UUID | None = None,
        src_vol_uuid: UUID | None = None,
        initial_size: UInt | None = None,
        add_bitmaps: bool = False,
        legal: bool = True,
        sequence: Annotated[int, Meta(ge=0)] = 0,
        bitmap: str | None = None,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that creates a volume: the first of a new image, a new top layer (snapshot) over the given
        parent, or a thin copy of a template. A failed task removes what it made.

        volume_id: Id that the new volume shall have, chosen by the engine.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain on which the volume is made.
        image_id: Image that the volume joins; made if it does not exist.
        size: Virtual size of the disk in bytes, sent as text; rounded up to the block size. With a parent it must
            not be smaller than the parent's. [bytes]
        vol_format: Format of the volume as a number; a volume with a parent must be qcow2.
        preallocate: Allocation as a number. Raw volumes on block storage must be preallocated.
        disk_type: What the disk is for, as a label; absent means ordinary data.
        desc: Description to store with the volume, often JSON made by the engine; cut at 210 bytes.
        src_img_uuid: Image of the parent volume, when that is not the same image (a template). All zero or absent:
            no parent.
        src_vol_uuid: Parent volume that the new one builds on. All zero or absent: the volume stands alone.
        initial_size: Room to allocate at once, in bytes, sent as text; for thin volumes on block storage and
            preallocated file volumes. Absent: the node's default for a thin volume, or the whole size. [bytes]
        add_bitmaps: True copies the parent's valid dirty bitmaps, so that incremental backup goes on across the
            snapshot.
        legal: False creates the volume marked illegal, for a copy that is filled later and must not be used before.
        sequence: Place of the snapshot in the order of snapshots, counted from 0; stored in format 5 metadata to
            help repair chains.
        bitmap: Name of a dirty bitmap to create in the new qcow2 volume; absent means none.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, IncorrectFormat, IncorrectType,
            InvalidParameterException, createVolumeSizeError, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Volume.create", VolumeCreateArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, size=size, vol_format=vol_format, preallocate=preallocate, disk_type=disk_type, desc=desc, src_img_uuid=src_img_uuid, src_vol_uuid=src_vol_uuid, initial_size=initial_size, add_bitmaps=add_bitmaps, legal=legal, sequence=sequence, bitmap=bitmap), deadline)
        return result

    async def delete(
        self,
        volume_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        post_zero: bool = False,
        force: bool = False,
        discard: bool = False,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that deletes one volume. Without force, a volume that other volumes build on, or a shared one
        (template), is refused. The data is gone once the task has started; after a failure the volume stays, marked
        illegal.

        volume_id: Volume that is deleted.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        post_zero: True overwrites the removed data with zeros, for disks that hold secrets; ignored on file
            storage. Engines send it as text.
        force: True skips the checks that protect volumes which others depend on. Engines send it as text.
        discard: True tells block storage, before a volume is removed, that its blocks are free; storage without
            discard support ignores it.
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, CannotDeleteVolume,
            InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Volume.delete", VolumeDeleteArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, post_zero=post_zero, force=force, discard=discard), deadline)
        return result

    async def extend_size(
        self,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        volume_id: UUID,
        new_size: UInt,
        *,
        deadline: float | None = None,
    ) -> UUID:
        """Starts a task that raises the virtual size of a disk which no VM uses; running disks are resized through
        their VM. The contents stay, guests see free space at the end. Shrinking is refused.

        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        volume_id: Leaf volume that grows.
        new_size: Wanted virtual size in bytes, sent as text; not less than the present size. [bytes]
        Returns: Id of the started task; success or failure shows in the task, not in this answer.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, VolumeResizeValueError,
            VolumeNonWritable, InvalidParameterException, AddTaskError, ResourceTimeout.
        """
        result: UUID = await self._call("Volume.extendSize", VolumeExtendSizeArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id, new_size=new_size), deadline)
        return result

    async def get_info(
        self,
        volume_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> VolumeInfoResponse:
        """Describes a volume from its metadata, with its sizes and lease. A volume whose metadata cannot be read is no
        failure: it is answered with status INVALID and few fields.

        volume_id: Volume to describe.
        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        Returns: Metadata, sizes and lease state of the volume.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, ImagePathError, StorageException, ResourceTimeout.
        """
        result: VolumeInfoResponse = await self._call("Volume.getInfo", VolumeGetInfoArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id), deadline)
        return result

    async def get_qemu_image_info(
        self,
        volume_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> QemuImageInfo:
        """Reads the header of the volume with qemu-img, without following its parents. Works while a VM writes to the
        volume; the answer may then be a moment old. On block storage the volume must be prepared on this host.

        volume_id: Volume whose header is read.
        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        Returns: Format, sizes, parent and bitmaps as the image header states them.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, ImagePathError, StorageException, ResourceTimeout.
        """
        result: QemuImageInfo = await self._call("Volume.getQemuImageInfo", VolumeGetQemuImageInfoArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id), deadline)
        return result

    async def get_size(
        self,
        volume_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> VolumeSizeInfo:
        """Tells how large a volume is on the storage; it says nothing about the virtual size of the disk.

        volume_id: Volume to measure.
        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        Returns: Apparent and really used bytes of the volume.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, ImagePathError, StorageException, ResourceTimeout.
        """
        result: VolumeSizeInfo = await self._call("Volume.getSize", VolumeGetSizeArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id), deadline)
        return result

    async def measure(
        self,
        volume_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        dst_vol_format: VolumeFormatId,
        storagepool_id: UUID | None = None,
        backing_chain: bool = True,
        base_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> VolumeMeasureResult:
        """Computes how many bytes a copy of the volume would need in the wanted format, as a basis for the size of the
        destination. Nothing is changed. The volume must not be written at the same time.

        volume_id: Volume to measure, the top of what would be copied.
        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        dst_vol_format: Format of the imagined copy as a number, 4 or 5.
        backing_chain: True counts the data of all parents too, as for a flat copy; false measures this layer alone.
        base_id: Lowest volume of the chain to count, for copying a part of it. Absent: the whole chain down to the
            first volume.
        Returns: Bytes that the destination needs.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, ImagePathError, IncorrectFormat, VolumeIsNotInChain,
            StorageException, ResourceTimeout.
        """
        result: VolumeMeasureResult = await self._call("Volume.measure", VolumeMeasureArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, dst_vol_format=dst_vol_format, backing_chain=backing_chain, base_id=base_id), deadline)
        return result

    async def refresh(
        self,
        volume_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Makes this host see a size that another host gave to the volume. On block storage it reloads the logical
        volume; on file storage there is nothing to do.

        volume_id: Volume whose size was changed elsewhere.
        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, LogicalVolumeRefreshError, ResourceTimeout.
        """
        await self._call("Volume.refresh", VolumeRefreshArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id), deadline)

    async def set_description(
        self,
        volume_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        description: str,
        *,
        deadline: float | None = None,
    ) -> None:
        """Replaces the description in the volume's metadata. Newer callers use the update job of SDM, which is guarded
        by a generation number.

        volume_id: Volume whose metadata changes.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        description: New text, often JSON made by the engine; cut at 210 bytes.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, VolumeDoesNotExist,
            VolumeMetadataWriteError, ResourceTimeout.
        """
        await self._call("Volume.setDescription", VolumeSetDescriptionArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, description=description), deadline)

    async def set_legality(
        self,
        volume_id: UUID,
        storagepool_id: UUID,
        storagedomain_id: UUID,
        image_id: UUID,
        legality: VolumeLegality,
        *,
        deadline: float | None = None,
    ) -> None:
        """Marks a volume as usable or unusable in its metadata. Newer callers use the update job of SDM, which is
        guarded by a generation number.

        volume_id: Volume whose metadata changes.
        storagepool_id: Pool to which the domain belongs; this host must be its SPM.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        legality: New mark: LEGAL or ILLEGAL.
        Errors: StoragePoolUnknown, SpmStatusError, StorageDomainDoesNotExist, VolumeDoesNotExist,
            VolumeMetadataWriteError, ResourceTimeout.
        """
        await self._call("Volume.setLegality", VolumeSetLegalityArgs(volume_id=volume_id, storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, legality=legality), deadline)

    async def teardown(
        self,
        storagedomain_id: UUID,
        image_id: UUID,
        volume_id: UUID,
        *,
        deadline: float | None = None,
    ) -> None:
        """Ends the use of one volume on this host, leaving its parents alone: on block storage the logical volume is
        deactivated. Must not be called while a VM here uses the volume.

        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        volume_id: Volume that this host stops using.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, CannotDeactivateLogicalVolume, ResourceTimeout.
        """
        await self._call("Volume.teardown", VolumeTeardownArgs(storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id), deadline)

    async def verify_untrusted(
        self,
        storagedomain_id: UUID,
        image_id: UUID,
        volume_id: UUID,
        storagepool_id: UUID | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        """Checks an uploaded volume before anyone uses it: its real format must match the metadata, it must name no
        backing file that could reach other data, and its qcow2 version must suit the domain. Answers an error that
        names the fault, else nothing.

        storagepool_id: Pool to which the domain belongs; only logged, all zero when there is none.
        storagedomain_id: Storage domain that holds the volume.
        image_id: Image to which the volume belongs.
        volume_id: Volume with contents that came from outside.
        Errors: StorageDomainDoesNotExist, VolumeDoesNotExist, ImagePathError, ImageVerificationError,
            StorageException, ResourceTimeout.
        """
        await self._call("Volume.verify_untrusted", VolumeVerifyUntrustedArgs(storagepool_id=storagepool_id, storagedomain_id=storagedomain_id, image_id=image_id, volume_id=volume_id), deadline)


class AsyncNodeApi:
    """Every class of the node API over one connection."""

    def __init__(self, call: Call) -> None:
        self.host = HostVerbs(call)
        self.image = ImageVerbs(call)
        self.iscsi_connection = ISCSIConnectionVerbs(call)
        self.lease = LeaseVerbs(call)
        self.lvm_volume_group = LVMVolumeGroupVerbs(call)
        self.managed_volume = ManagedVolumeVerbs(call)
        self.nbd = NBDVerbs(call)
        self.ova = OVAVerbs(call)
        self.policy = PolicyVerbs(call)
        self.sdm = SDMVerbs(call)
        self.storage_domain = StorageDomainVerbs(call)
        self.storage_pool = StoragePoolVerbs(call)
        self.task = TaskVerbs(call)
        self.vm = VMVerbs(call)
        self.volume = VolumeVerbs(call)
