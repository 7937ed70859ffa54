# The user 36 and the agent's folders, as `ovis node setup` makes them; all else of it is the administrator's decision.
/usr/bin/ovis node setup apply accounts folders boot-folders
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if [ -e /run/ovis-upgrade ]; then
        systemctl start $(cat /run/ovis-upgrade) || echo "ovis: the agent did not start again; see: journalctl -u ovisd" >&2
        rm -f /run/ovis-upgrade
    fi
fi
