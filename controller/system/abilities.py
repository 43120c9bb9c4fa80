"""What this machine lets a process do that a lab needs, each tried without changing anything."""

import os
import socket
from pathlib import Path

TUN = Path("/dev/net/tun")


def tun_error() -> str:
    """Why no tap device can be made, as OVS in user space needs for its bridges; empty if one can."""
    try:
        os.close(os.open(TUN, os.O_RDWR))
    except OSError as error:
        return f"{TUN}: {error.strerror}"
    return ""


def packet_error() -> str:
    """Why no packet socket can be opened, as OVS in user space needs for its ports; empty if one can."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except OSError as error:
        return f"AF_PACKET: {error.strerror}"
    return ""


def folder_error(folder: Path) -> str:
    """Why nothing can be made in a folder, or where it would be made; empty if it can."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        return f"{there}: not a folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there}: not writable"
