"""Runs the openvswitch agent of one Neutron release, and writes down what it makes of each host.

    python agent.py RELEASE < overlay.json > result.txt

It runs in an environment with Neutron, not in the project's own, and shares no code with the
project.  The standard input is the JSON of `make.py`.  Each host gets a new Open vSwitch of its own;
`OVSNeutronAgent` is started there with its own bridge classes, gets its answers from `Server`
in place of Neutron's server, and goes through its first iteration.  Nothing of the agent is replaced but:

* messages to the server (`setup_rpc`): answered here;
* the OpenFlow session: the agent's own messages are sent to the switch's management socket;
* commands (`ovs-ofctl`): run directly, not through rootwrap;
* Neutron's pause of a second after `set_controller`.
"""

import functools
import json
import multiprocessing
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
SKIPPED = re.compile(r"cookie=0x[0-9a-f]+,\s*|(?:duration|n_packets|n_bytes)=[^,]+,\s*")
RELEASE = sys.argv[1]
APP = {"queens": "ryu_app", "current": "os_ken_app"}
FLOOD = ("00:00:00:00:00:00", "0.0.0.0")  # FLOODING_ENTRY


def wait_for(condition, what):
    """Wait up to a minute.  `time.sleep` may be Neutron's or eventlet's here; both do."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"no {what} after a minute")
        time.sleep(0.01)


class Switch:
    """A private Open vSwitch with its own folder."""

    def __init__(self, datapath):
        self.datapath = datapath
        self.folder = Path(tempfile.mkdtemp(prefix="golden-"))
        run = str(self.folder)
        self.env = dict(
            os.environ, OVS_RUNDIR=run, OVS_LOGDIR=run, OVS_DBDIR=run, OVS_SYSCONFDIR=run
        )
        self.call("ovsdb-tool", "create", f"{run}/conf.db", SCHEMA)
        self.daemons = [
            self._start("ovsdb-server", f"{run}/conf.db", f"--remote=punix:{run}/db.sock")
        ]
        wait_for((self.folder / "db.sock").exists, "OVSDB")
        self.call("ovs-vsctl", "--no-wait", "init")
        self.daemons += [
            self._start(
                "unshare", "--net", "ovs-vswitchd", f"unix:{run}/db.sock", "--disable-system"
            )
        ]

    def _start(self, *command):
        program = next(word for word in command if word.startswith("ovs"))
        with (self.folder / f"{program}.log").open("w") as log:
            return subprocess.Popen(command, env=self.env, stdout=log, stderr=log)

    def call(self, *command):
        done = subprocess.run(
            command, env=self.env, stdout=subprocess.PIPE, text=True, timeout=60, check=True
        )
        return done.stdout

    def vsctl(self, *command):
        return self.call("ovs-vsctl", "--timeout=30", *command)

    def close(self):
        for daemon in self.daemons[::-1]:
            daemon.terminate()
            daemon.wait(30)
        shutil.rmtree(self.folder)


class Session:
    """The OpenFlow 1.3 messages of the agent, sent to one bridge's management socket."""

    def __init__(self, path):
        import os_ken.ofproto.ofproto_v1_3 as ofproto
        import os_ken.ofproto.ofproto_v1_3_parser as parser

        self.ofproto, self.ofproto_parser = ofproto, parser
        self.xid = 1
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.socket.sendall(struct.pack("!BBHI", ofproto.OFP_VERSION, ofproto.OFPT_HELLO, 8, 0))

    def set_xid(self, msg):
        self.xid += 1
        msg.set_xid(self.xid)

    def send(self, msg, reply_cls, reply_multi):
        """Send `msg`; return its reply, or None after a barrier if none is asked for."""
        self._put(msg)
        replies = []
        if reply_cls is None:
            barrier = self.ofproto_parser.OFPBarrierRequest(self)
            self._put(barrier)
            reply_cls = self.ofproto_parser.OFPBarrierReply
        while True:
            reply = self._get()
            if isinstance(reply, self.ofproto_parser.OFPErrorMsg):
                raise RuntimeError(f"the switch refuses {msg}: {reply}")  # noqa: TRY004
            if not isinstance(reply, reply_cls):
                continue
            replies.append(reply)
            if not getattr(reply, "flags", 0) & self.ofproto.OFPMPF_REPLY_MORE:
                return replies if reply_multi else replies[-1]

    def _put(self, msg):
        if msg.xid is None:
            self.set_xid(msg)
        msg.serialize()
        self.socket.sendall(msg.buf)

    def _get(self):
        import os_ken.ofproto.ofproto_parser as parser

        head = self._read(8)
        version, kind, length, xid = struct.unpack("!BBHI", head)
        return parser.msg(self, version, kind, length, xid, head + self._read(length - 8))

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise RuntimeError("the switch closed its management socket")
            data += part
        return data


class Server:
    """What Neutron's server answers to the agent."""

    def __init__(self, overlay, host):
        self.overlay, self.host = overlay, host
        self.ports = {
            port["port_id"]: port for port in overlay["ports"] if port["host"] == host["name"]
        }

    def tunnel_sync(self, _context, _ip, tunnel_type, _host=None):
        """Every host that has this type has an endpoint (TunnelRpcCallback.tunnel_sync)."""
        hosts = [host for host in self.overlay["hosts"] if tunnel_type in host["tunnel_types"]]
        return {
            "tunnels": [{"ip_address": host["local_ip"], "host": host["name"]} for host in hosts]
        }

    def get_devices_details_list_and_failed_devices(self, _context, devices, *_more):
        found = [dict(port) for id_, port in self.ports.items() if id_ in devices]
        return {"devices": found, "failed_devices": []}

    def update_device_list(self, *_arguments, **_named):
        return dict.fromkeys(("devices_up", "devices_down"), ()) | {
            "failed_devices_up": [],
            "failed_devices_down": [],
        }

    def update_device_down(self, *_arguments, **_named):
        return {}

    def fdb(self):
        """The entries that l2population's driver sends to this host when all ports are up.

        Networks and hosts are in the order of the scenario: it decides the numbers of tunnel ports.
        """
        host_of = {host["name"]: host for host in self.overlay["hosts"]}
        entries, places = {}, {name: place for place, name in enumerate(host_of)}
        networks = {id_: place for place, id_ in enumerate(self.overlay["networks"])}
        ports = self.overlay["ports"]
        for port in sorted(ports, key=lambda p: (networks[p["network_id"]], places[p["host"]])):
            remote = host_of[port["host"]]
            if remote["name"] == self.host["name"] or not port["admin_state_up"]:
                continue
            if port["network_type"] not in ("gre", "vxlan", "geneve"):
                continue
            network = entries.setdefault(
                port["network_id"],
                {
                    "segment_id": port["segmentation_id"],
                    "network_type": port["network_type"],
                    "ports": {},
                },
            )
            known = network["ports"].setdefault(remote["local_ip"], [FLOOD])
            known += [(port["mac_address"], ip["ip_address"]) for ip in port["fixed_ips"]]
        return entries


@functools.cache
def ovs_neutron_agent():
    """Import the agent of the release; Queens's runs on today's libraries."""
    if RELEASE == "queens":
        import queens  # beside this file: what Queens's code expects of the libraries of 2018

        queens.prepare()
    from neutron.agent.common import ovs_lib

    ovs_lib.time = mock.Mock(wraps=time, sleep=lambda _s: None)
    from neutron.plugins.ml2.drivers.openvswitch.agent import ovs_neutron_agent as module

    register_options(module)
    return module


def register_options(module):
    """As `ovs_neutron_agent.main` of each release does."""
    from oslo_config import cfg

    if RELEASE == "queens":
        module.ext_manager.register_opts(cfg.CONF)
        return
    from neutron.common import config

    config.register_common_config_options()
    module.l2_agent_extensions_manager.register_opts(cfg.CONF)
    module.ml2_config.register_ml2_plugin_opts(cfg=cfg.CONF)


def configure(host, switch):
    """Set the agent's options: the host's own, and where its Open vSwitch is."""
    from oslo_config import cfg

    cfg.CONF([], project="neutron", default_config_files=[], default_config_dirs=[])
    for group, options in host["options"].items():
        for name, value in options.items():
            if name in cfg.CONF[group]:  # Queens has fewer
                cfg.CONF.set_override(name, value, group)
    cfg.CONF.set_override("ovsdb_connection", f"unix:{switch.folder}/db.sock", "OVS")
    cfg.CONF.set_override("datapath_type", switch.datapath, "OVS")
    cfg.CONF.set_override("host", host["name"])
    cfg.CONF.set_override("report_interval", 0, "AGENT")
    return cfg.CONF


def bridge_classes(switch):
    """The agent's own bridge classes, with `Session` in place of an os-ken application."""
    from neutron.plugins.ml2.drivers.openvswitch.agent.openflow.native import (
        br_int,
        br_phys,
        br_tun,
    )

    sessions = {}

    def direct(kind):
        class Direct(kind):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **{APP[RELEASE]: None}, **kwargs)

            def _get_dp(self):
                if self.br_name not in sessions:
                    sessions[self.br_name] = Session(f"{switch.folder}/{self.br_name}.mgmt")
                dp = sessions[self.br_name]
                return dp, dp.ofproto, dp.ofproto_parser

            def _send_msg(self, msg, reply_cls=None, reply_multi=False, active_bundle=None):
                assert active_bundle is None
                return self._get_dp()[0].send(msg, reply_cls, reply_multi)

        return Direct

    return {
        "br_int": direct(br_int.OVSIntegrationBridge),
        "br_phys": direct(br_phys.OVSPhysicalBridge),
        "br_tun": direct(br_tun.OVSTunnelBridge),
    }


def run_agent(module, overlay, host, switch):
    """Start the agent and let it do what its first iteration does with all ports there."""
    from neutron.agent.common import utils

    conf = configure(host, switch)
    for _, bridge in host["bridge_mappings"]:
        switch.vsctl(
            "add-br", bridge, "--", "set", "Bridge", bridge, f"datapath_type={switch.datapath}"
        )
    server = Server(overlay, host)

    def setup_rpc(agent):
        agent.plugin_rpc, agent.context = server, None
        agent.sg_plugin_rpc = agent.dvr_plugin_rpc = agent.connection = mock.Mock()

    def execute(command, process_input=None, **_named):
        command = [*map(str, command)]
        done = subprocess.run(
            command,
            env=switch.env,
            input=process_input,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    with (
        mock.patch.object(module.OVSNeutronAgent, "setup_rpc", setup_rpc),
        mock.patch.object(utils, "execute", execute),
        mock.patch.dict(os.environ, switch.env),
    ):
        extensions = mock.Mock(**{"names.return_value": []})
        agent = module.OVSNeutronAgent(bridge_classes(switch), extensions, conf)
        plug(server, host, switch)
        if agent.enable_tunneling:
            agent.tunnel_sync()
        names = [port["device_name"] for port in server.ports.values()]
        bridge = agent.int_br  # its copy of the database may be older than what ovs-vsctl has seen
        wait_for(
            lambda: all(isinstance(bridge.get_port_ofport(name), int) for name in names), "ofports"
        )
        ids = list(server.ports)
        agent.process_network_ports({"current": set(ids), "added": set(ids)}, False)
        if agent.l2_pop:
            agent.fdb_add(None, as_sent(server.fdb()))


def as_sent(entries):
    """The entries as the agent has them once they are unmarshalled."""
    from neutron.plugins.ml2.drivers.l2pop import rpc

    for network in entries.values():
        for known in network["ports"].values():
            known[:] = [rpc.PortInfo(*entry) for entry in known]
    return entries


def plug(server, host, switch):
    """The guests' ports, as os-vif makes them."""
    integration = host["options"]["OVS"].get("integration_bridge", "br-int")
    for port in server.ports.values():
        switch.vsctl(
            "add-port", integration, port["device_name"],
            "--", "set", "Interface", port["device_name"], "type=internal",
            f"external_ids:iface-id={port['port_id']}",
            f'external_ids:attached-mac="{port["mac_address"]}"',
            "external_ids:iface-status=active",
        )  # fmt: skip
    wait_for(lambda: "[]" not in switch.vsctl("--columns=ofport", "list", "Interface"), "ofports")


def flows(switch, bridge):
    """The flows of `bridge`, without cookies and counters, ordered by table, priority and text."""
    dump = switch.call(
        "ovs-ofctl", "-O", "OpenFlow13", "--names", "--no-stats", "dump-flows",
        f"unix:{switch.folder}/{bridge}.mgmt",
    )  # fmt: skip
    lines = [SKIPPED.sub("", line).strip() for line in dump.splitlines() if "actions=" in line]

    def key(line):
        table, priority = re.search(r"table=(\d+)", line), re.search(r"priority=(\d+)", line)
        return int(table[1]) if table else 0, -int(priority[1]) if priority else -32768, line

    return sorted(lines, key=key)


def table(switch, name, *columns, of=()):
    """Rows of an OVSDB table, as dicts of columns."""
    text = switch.vsctl("--format=json", f"--columns={','.join(columns)}", "list", name, *of)
    read = json.loads(text)
    return [dict(zip(read["headings"], row, strict=True)) for row in read["data"]]


def pairs(value):
    """A map of OVSDB, as a dict in its order there."""
    return dict(value[1])


OPTIONS = (  # in the order in which Neutron sets them; OVSDB forgets it
    "dst_port", "df_default", "remote_ip", "local_ip", "in_key", "out_key", "egress_pkt_mark",
    "csum", "tos", "packet_type",
)  # fmt: skip


def tunnel_ports(switch, bridge):
    """Type and options of each tunnel port, in the order of their ofports."""
    names = switch.vsctl("list-ports", bridge).split()
    rows = table(switch, "Interface", "name", "type", "options", "ofport", of=names)
    for row in sorted(rows, key=lambda row: row["ofport"]):
        if row["type"] != "patch":
            found = pairs(row["options"])
            options = ",".join(f"{key}={found.pop(key)}" for key in OPTIONS if key in found)
            assert not found, found
            yield f"{row['name']} type={row['type']} {options}"


def bridge_rows(switch, bridges):
    """What the agent sets in the rows of bridges and patch ports."""
    for bridge in bridges:
        (row,) = table(
            switch,
            "Bridge",
            "other_config",
            "mcast_snooping_enable",
            "protocols",
            "fail_mode",
            of=[bridge],
        )
        found = sorted(pairs(row["other_config"]).items())
        config = ",".join(f"{key}={value}" for key, value in found)
        yield f"# {bridge}"
        yield f"Bridge {bridge} fail_mode={row['fail_mode']} mcast_snooping_enable={str(row['mcast_snooping_enable']).lower()}"
        yield f"Bridge {bridge} other_config {config}"
        yield f"Bridge {bridge} protocols {','.join(sorted(row['protocols'][1]))}"
        for name in switch.vsctl("list-ports", bridge).split():
            (interface,) = table(switch, "Interface", "type", "options", of=[name])
            (port,) = table(switch, "Port", "other_config", of=[name])
            if interface["type"] == "patch":
                found = sorted(pairs(port["other_config"]).items())
                config = ",".join(f"{key}={value}" for key, value in found)
                yield f"Interface {name} peer={pairs(interface['options'])['peer']}"
                if config:
                    yield f"Port {name} other_config {config}"


def record(module, overlay, host):
    """What the agent makes of one host, as lines."""
    switch = Switch(os.environ.get("GOLDEN_DATAPATH", "netdev"))
    try:
        run_agent(module, overlay, host, switch)
        ovs = host["options"]["OVS"]
        integration, tunnel = (
            ovs.get("integration_bridge", "br-int"),
            ovs.get("tunnel_bridge", "br-tun"),
        )
        bridges = [integration, *([tunnel] if host["tunnel_types"] else [])]
        bridges += dict.fromkeys(bridge for _, bridge in host["bridge_mappings"])
        for bridge in bridges:
            yield "flows", f"# {host['name']} {bridge}"
            for line in flows(switch, bridge):
                yield "flows", line
        if host["tunnel_types"]:
            ports = [*tunnel_ports(switch, tunnel)]
            if ports:
                yield "flows", f"# {host['name']} {tunnel} ports"
            for line in ports:
                yield "flows", line
        for line in bridge_rows(switch, bridges):
            yield (
                "rows",
                line.replace("# ", f"# {host['name']} ", 1) if line.startswith("# ") else line,
            )
    finally:
        switch.close()


def recorded(task):
    """The lines that the agent makes of one host, in a process of its own."""
    overlay, host = task
    return list(record(ovs_neutron_agent(), overlay, host))


def main():
    """Each host in a process of its own, since the agent has module-level state."""
    ovs_neutron_agent()  # imported once, before the processes are forked
    overlays = json.load(sys.stdin)
    tasks = [(overlay, host) for overlay in overlays for host in overlay["hosts"]]
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        found = pool.imap(recorded, tasks)
        for overlay in overlays:
            result = {"flows": [], "rows": []}
            for _ in overlay["hosts"]:
                for kind, line in next(found):
                    result[kind].append(line)
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
