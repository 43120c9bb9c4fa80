"""The question of `throughput`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.throughput import words

QUESTION = Question(
    name="throughput",
    question="What goodput does each mode have by packet size, and how much CPU time does it take?",
    unit="Mbit/s",
    value="goodput_mbit_s",
    factors={
        "mode": (
            "flat",
            "vlan",
            "gre-mesh",
            "gre-l2pop",
            "vxlan-mesh",
            "vxlan-l2pop",
            "geneve-mesh",
            "kvxlan-multicast",
            "kvxlan-mesh",
            "kvxlan-l2pop",
        ),
    },
    report="throughput",
    predictions=(
        Prediction(
            about=words.GRE_TO_VXLAN,
            claim="GRE has the same goodput as VXLAN, within 25%, with packets of the same size",
            reason="in user space a packet costs system calls and context switches; whether its "
            "tunnel header has 8 or 16 bytes makes almost no difference",
            low=words.SAME_LOW,
            high=words.SAME_HIGH,
        ),
        Prediction(
            about=words.L2POP_TO_MESH,
            claim="l2population has the same goodput as a mesh, within 25%",
            reason="once a MAC address is known, both send one copy by one cached flow",
            low=words.SAME_LOW,
            high=words.SAME_HIGH,
        ),
        Prediction(
            about=words.MIDDLE_TO_SMALL,
            claim="UDP with packets of 576 bytes has at least twice the goodput of packets of 128",
            reason="the cost is per packet, and 548 bytes of payload are 5.5 times 100; the factor "
            "is lower only as far as the sender itself uses the processors",
            low=2.0,
            high=8.0,
        ),
        Prediction(
            about=words.KERNEL_TO_USER,
            claim="kernel VXLAN has at least twice the goodput of user space, with the largest packets",
            reason="no packet is copied to a daemon and back; with TCP, the VXLAN device hands the "
            "receiving guest many packets as one (GRO), so UDP is measured, too",
            low=2.0,
            high=50.0,
        ),
        Prediction(
            about=words.CPU_SMALL_TO_MIDDLE,
            claim="packets of 128 bytes take 2 to 8 times the CPU time per gigabyte of packets of "
            "576, in every mode, with TCP and with UDP",
            reason="the cost is per packet, and 576 bytes carry 5.5 times the payload (UDP: 548 to "
            "100) or 6.9 times (TCP with timestamps: 524 to 76); the factor is lower only as far "
            "as the cost is per byte, or the kernel merges TCP's packets (GRO)",
            low=2.0,
            high=8.0,
        ),
        Prediction(
            about=words.CPU_USER_TO_KERNEL,
            claim="user space takes at least twice the CPU time per gigabyte of kernel VXLAN, with "
            "the largest packets",
            reason="the daemon reads and writes a copy of each packet by system calls, at both "
            "ends; the kernel forwards it without a copy",
            low=2.0,
            high=50.0,
        ),
    ),
    columns={
        "protocol": text("tcp, or udp as fast as the sender can"),
        "transfer": integer("number of the transfer of its kind, from 1"),
        "ip_bytes": integer(
            "bytes of an IP packet as it is sent: set by TCP's MSS or UDP's payload; the kernel's "
            "VXLAN device joins TCP's packets before the receiving guest (GRO)"
        ),
        "goodput_mbit_s": number("payload that arrived"),
        "cpu_s_per_gb": number("CPU time of the whole machine for 10^9 bytes that arrived"),
        "switch_s_per_gb": number("of these, by ovs-vswitchd"),
        "sent_bytes": integer("payload that was sent"),
        "lost_packets": integer("UDP packets that did not arrive"),
        "retransmits": integer("TCP segments that were retransmitted"),
    },
)
