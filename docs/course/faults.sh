#!/bin/sh
# Puts five faults into the running lab of exercise 3.  Usage: sudo sh docs/course/faults.sh [LAB]
# For the teacher: each command is one fault, and the comment above it is the solution.
lab=${1:-faults}
PATH=$PATH:$(dirname "$0")/../../.venv/bin  # where `make` has put overlaylab
set -e

# 1. Server a has a wrong MAC for b, and never asks for the right one.
overlaylab exec "$lab" a -- ip neigh replace 10.1.0.22 lladdr 02:00:00:00:00:99 dev eth0 nud permanent

# 2. The interface of server e is switched off.
overlaylab exec "$lab" e -- ip link set eth0 down

# 3. Server f has a netmask of /28, in which it has no neighbour.
overlaylab exec "$lab" f -- ip address flush dev eth0 scope global
overlaylab exec "$lab" f -- ip address add 10.2.0.22/28 dev eth0

# 4. The switch's port towards host3 carries packets of up to 1300 bytes only.
overlaylab exec "$lab" underlay -- ip link set host3 mtu 1300

# 5. On host4 the port of br-vtep to the underlay is in VLAN 7.
overlaylab exec "$lab" host4 -- ovs-vsctl set port underlay tag=7

echo "five faults are in lab $lab"
