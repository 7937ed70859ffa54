# The agent loads parts of itself when they are first needed: it must not find half of a newer one. VMs run on.
if [ -d /run/systemd/system ]; then
    running=
    for unit in ovis-privileged.service ovisd.service; do
        if systemctl --quiet is-active "$unit"; then running="$running $unit"; fi
    done
    if [ -n "$running" ]; then
        echo "$running" > /run/ovis-upgrade
        systemctl stop $running
    fi
fi
