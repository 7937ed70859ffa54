# State goes; what may be somebody's data (storage below /var/lib/ovis, /rhev) or another program's (/var/lib/vdsm) stays.
rm -rf --one-file-system /var/lib/ovis/node
set_up=
for record in /var/lib/ovis/setup/*.json; do
    case "${record##*/}" in
        accounts.json | folders.json | boot-folders.json | services.json | '*.json') ;;
        *) set_up=yes ;;
    esac
done
if [ -n "$set_up" ]; then
    rm -f /etc/ovis/ovisd.toml
    echo "ovis: libvirt, LVM and others are still configured for the agent, with its certificates, and the records of that" >&2
    echo "ovis: in /var/lib/ovis/setup are kept. To take it back: install ovis, run 'ovis node setup undo', purge again" >&2
else
    rm -rf --one-file-system /etc/ovis /var/lib/ovis/setup
    rm -f /etc/tmpfiles.d/ovis.conf
fi
for folder in /var/lib/ovis /rhev/data-center /rhev; do
    rmdir "$folder" 2> /dev/null || true
done
