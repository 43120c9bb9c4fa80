#!/bin/sh
# The provider of exercise 2 lowers the MTU of its link.  Usage: sudo sh docs/course/mtu.sh [LAB]
lab=${1:-mtu}
PATH=$PATH:$(dirname "$0")/../../.venv/bin  # where `make` has put overlaylab
set -e

overlaylab exec "$lab" transit1 -- ip link set transit2 mtu 1400
overlaylab exec "$lab" transit2 -- ip link set transit1 mtu 1400

echo "the provider of lab $lab has changed its link"
