# Only the agent ends: VMs, mounts, networks and what holds leases stay as they are.
if [ -d /run/systemd/system ]; then
    systemctl disable --now ovisd.service ovis-privileged.service ovis-restore-networks.service || true
fi
if [ -n "$(ls -A /var/lib/vdsm/persistence/netconf/nets 2> /dev/null)" ]; then
    echo "ovis: networks of this host were made by the agent; after the next boot nobody makes them: configure them elsewhere" >&2
fi
