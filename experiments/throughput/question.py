"""The question of `throughput`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text

QUESTION = Question(
    name="throughput",
    question="How much does a mode carry, in packets of each size, and what does it cost?",
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
            claim="GRE carries as much as VXLAN, within a quarter, in packets of the same size",
            reason=(
                "in user space a packet costs system calls and wake-ups; whether 8 or 16 bytes "
                "are put before it is next to nothing"
            ),
            about="gre to vxlan",
            low=0.75,
            high=1.33,
        ),
        Prediction(
            claim="l2population carries as much as a mesh, within a quarter",
            reason="once a MAC is known, both send one copy by one cached flow",
            about="l2pop to mesh",
            low=0.75,
            high=1.33,
        ),
        Prediction(
            claim="UDP in packets of 576 bytes carries at least twice what packets of 128 do",
            reason=(
                "the work is by the packet, and 548 bytes of payload are 5.5 times 100; below "
                "that factor only as far as sending itself takes the processors"
            ),
            about="576 to 128",
            low=2.0,
            high=8.0,
        ),
        Prediction(
            claim="kernel VXLAN carries at least twice what user space does, at the largest size",
            reason="no packet is copied to a daemon and back; and of TCP the far guest gets many "
            "packets in one (GRO of the VXLAN device), which is why UDP is measured beside it",
            about="kernel to user space",
            low=2.0,
            high=50.0,
        ),
        Prediction(
            claim="packets of 128 bytes take 2 to 8 times the processor time, for a gigabyte, that "
            "packets of 576 do, in every mode, by TCP and by UDP",
            reason="the work is by the packet, and 576 bytes carry 5.5 (UDP: 548 to 100) or 6.9 "
            "times as much (TCP with timestamps: 524 to 76); less than that only as far as the "
            "work is by the byte, or the kernel joins TCP's packets",
            about="CPU time, 128 to 576",
            low=2.0,
            high=8.0,
        ),
        Prediction(
            claim="user space takes at least twice the processor time of kernel VXLAN, for a "
            "gigabyte in the largest packets",
            reason="of each packet the daemon reads and writes a copy by system calls, at both "
            "ends; the kernel hands it on as it is",
            about="CPU time, user space to kernel",
            low=2.0,
            high=50.0,
        ),
    ),
    columns={
        "protocol": text("tcp, or udp as fast as the sender can"),
        "transfer": integer("number of the transfer of its kind, from 1"),
        "ip_bytes": integer(
            "bytes of an IP packet as it is sent: TCP by its MSS, UDP by the payload; the "
            "kernel's VXLAN joins TCP's again before the far guest (GRO of its device)"
        ),
        "goodput_mbit_s": number("payload that arrived"),
        "cpu_s_per_gb": number(
            "seconds of a processor, all of the machine, for 10^9 bytes that arrived"
        ),
        "switch_s_per_gb": number("of these, by ovs-vswitchd"),
        "sent_bytes": integer("payload that was sent"),
        "lost_packets": integer("UDP packets that did not arrive"),
        "retransmits": integer("TCP segments sent again"),
    },
)
