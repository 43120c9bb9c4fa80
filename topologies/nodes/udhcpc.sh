#!/bin/sh -e
# Called by udhcpc in a guest: sets the values of the lease, and nothing outside of the namespace.
# Debian's own writes /etc/resolv.conf, which would be the machine's.
case $1 in
deconfig)
    ip -4 address flush dev "$interface"
    ip link set "$interface" up
    ;;
bound | renew)
    test -z "$mtu" || ip link set "$interface" mtu "$mtu"
    ip -4 address flush dev "$interface"
    ip address add "$ip/$mask" dev "$interface"
    test -z "$router" || ip route replace default via "${router%% *}" dev "$interface" onlink \
        metric "$((100 + ${interface#eth}))"
    ;;
esac
