"""Strings that the question, the probe and the report of `throughput` share."""

TCP, UDP = "tcp", "udp"

# What predictions are about: the figure of one cell divided by that of another.
GRE_TO_VXLAN, L2POP_TO_MESH = "goodput GRE/VXLAN", "goodput l2pop/mesh"
MIDDLE_TO_SMALL = "goodput 576/128 bytes"
KERNEL_TO_USER = "goodput kernel/user space"
CPU_SMALL_TO_MIDDLE = "CPU time 128/576 bytes"
CPU_USER_TO_KERNEL = "CPU time user space/kernel"

SENTENCES = {  # findings, the most important first; {} is the ratio
    KERNEL_TO_USER: "Largest packets: kernel VXLAN carries {} times as much as user space",
    GRE_TO_VXLAN: "GRE has {} times the goodput of VXLAN",
    L2POP_TO_MESH: "L2population has {} times the goodput of a mesh",
    MIDDLE_TO_SMALL: "UDP packets of 576 bytes have {} times the goodput of packets of 128",
    CPU_USER_TO_KERNEL: "Largest packets: user-space VXLAN takes {} times the CPU time per gigabyte of "
    "kernel VXLAN",
    CPU_SMALL_TO_MIDDLE: "Packets of 128 bytes take {} times the CPU time per gigabyte of 576",
}

# Findings of these ratios have one for each protocol: TCP's and UDP's differ by more than repeats do.
BY_PROTOCOL = (KERNEL_TO_USER, CPU_USER_TO_KERNEL, CPU_SMALL_TO_MIDDLE)

SAME_LOW, SAME_HIGH = 0.75, 1.33  # a factor between them is no difference

FORMAT_2 = {"repeat": "transfer", "repeats": "transfers"}  # what format 2 named otherwise
FORMAT_2_VALUES = {
    "about": {
        "gre to vxlan": GRE_TO_VXLAN,
        "l2pop to mesh": L2POP_TO_MESH,
        "576 to 128": MIDDLE_TO_SMALL,
        "kernel to user space": KERNEL_TO_USER,
        "CPU time, 128 to 576": CPU_SMALL_TO_MIDDLE,
        "CPU time, user space to kernel": CPU_USER_TO_KERNEL,
    }
}
