"""Print the options of the Neutron release that is installed in this environment, as JSON.

`make neutron-options` runs it for each file of `topologies/scenario/neutron/`, in a new environment
with the packages of `requirements-queens.txt`, `-current.txt` or `-linuxbridge.txt`.

    dump.py [FILE ...]      # the options of these files of Neutron only; without FILE, of all

The options are those that Neutron's own sample files have: the namespaces below are the ones of
etc/oslo-config-generator/ in Neutron's repository.  Queens is older than this Python: modules that
it imports and that this Python cannot import are replaced by empty ones.  None defines an option.
"""

import collections
import collections.abc
import importlib
import inspect
import json
import re
import sys
import types
import warnings
from collections.abc import Iterator, MutableSequence
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points, version
from typing import Any

# oslo.log, which the generator repeats in every file, is in neutron.conf only.
FILES = {
    "neutron.conf": (
        "neutron neutron.agent neutron.db neutron.experimental neutron.extensions nova.auth ironic.auth "
        "placement.auth designate.auth oslo.log oslo.cache oslo.db oslo.policy oslo.privsep "
        "oslo.concurrency oslo.messaging oslo.middleware.cors oslo.middleware.healthcheck "
        "oslo.middleware.http_proxy_to_wsgi oslo.reports oslo.service.periodic_task "
        "oslo.service.service oslo.service.sslutils oslo.service.wsgi oslo.versionedobjects "
        "keystonemiddleware.auth_token osprofiler"
    ),
    "ml2_conf.ini": "neutron.ml2 neutron.ml2.ovn",
    "openvswitch_agent.ini": "neutron.ml2.ovs.agent neutron.ml2.xenapi",
    "linuxbridge_agent.ini": "neutron.ml2.linuxbridge.agent",
    "sriov_agent.ini": "neutron.ml2.sriov.agent",
    "macvtap_agent.ini": "neutron.ml2.macvtap.agent",
    "dhcp_agent.ini": "neutron.base.agent neutron.az.agent neutron.dhcp.agent",
    "l3_agent.ini": "neutron.l3.agent",
    "metadata_agent.ini": "neutron.metadata.agent",
    "metering_agent.ini": "neutron.metering.agent",
}
ALSO = {  # registered by these agents, though their sample files lack them
    "openvswitch_agent.ini": {
        "agent": "neutron.conf.plugins.ml2.drivers.agent:agent_opts",
        "ovs": "neutron.conf.agent.ovs_conf:OPTS",
        "fdb": "neutron.conf.agent.l2_ext_fdb_population:fdb_population_opt",
    },
    "linuxbridge_agent.ini": {
        "agent": "neutron.conf.plugins.ml2.drivers.agent:agent_opts",
        "fdb": "neutron.conf.agent.l2_ext_fdb_population:fdb_population_opt",
    },
}
# Sections for which options of keystoneauth are registered when they are used, and in no sample.
LOGINS = ("keystone_authtoken", "placement")
# Their default is an address of this machine, and Neutron gives none for its samples.
OF_THE_MACHINE = ("my_ip", "my_ipv6")
# Imported by Queens; too old for this Python, large, or with parts in C.
ABSENT = (
    "alembic amqp cachetools cffi dogpile eventlet futurist greenlet jinja2 keystoneclient kombu "
    "migrate msgpack netifaces neutron.agent.agent_extensions_manager "
    "neutron.agent.securitygroups_rpc neutron.api.rpc neutron.common.cache_utils neutron.db.api "
    "neutron.db.migration neutron.extensions neutron.objects neutron.wsgi neutronclient novaclient "
    "os_xenapi oslo_db.sqlalchemy oslo_messaging._drivers.zmq_driver.client "
    "oslo_messaging._drivers.zmq_driver.server oslo_messaging._drivers.zmq_driver.proxy "
    "oslo_rootwrap oslo_versionedobjects ovs pecan pika pika_pool positional prettytable psutil "
    "pycadf pyroute2 ryu tenacity"
)
Option = dict[str, Any]


def main(wanted: list[str]) -> None:
    warnings.simplefilter("ignore")
    if version("neutron").startswith("12."):
        _make_old_code_importable()
        importlib.import_module("neutron.conf.agent.securitygroups_rpc")
    files = {name: found for name in wanted or FILES if (found := _sections(name))}
    print(_text({"neutron": version("neutron"), "files": files}, depth=3))


def _sections(file: str) -> dict[str, dict[str, Option]]:
    """The options of one file, section by section; none if the release has no such file."""
    sections: dict[str, dict[str, Option]] = {}
    for group, options in _groups(file):
        section = _section(getattr(group, "name", group))
        for option in options:
            sections.setdefault(section, {})[option.dest] = _described(option, section)
    for section in LOGINS if file == "neutron.conf" else ():
        for option in _login_options():
            sections.setdefault(section, {}).setdefault(option.dest, _described(option, section))
    return {section: dict(sorted(found.items())) for section, found in sorted(sections.items())}


def _login_options() -> Iterator[Any]:
    loading = importlib.import_module("keystoneauth1.loading")
    yield from loading.get_auth_common_conf_options()
    for plugin in ("password", "v2password", "v3password"):  # those of Neutron's list_auth_opts
        yield from loading.get_auth_plugin_conf_options(plugin)


def _groups(file: str) -> Iterator[tuple[Any, Any]]:
    functions = {entry.name: entry for entry in entry_points(group="oslo.config.opts")}
    namespaces = [name for name in FILES[file].split() if name in functions]
    for namespace in namespaces:
        yield from functions[namespace].load()()
    for section, where in ALSO.get(file, {}).items() if namespaces else ():
        module, _, name = where.partition(":")
        yield section, getattr(importlib.import_module(module), name)


def _text(value: dict[str, Any], depth: int) -> str:
    """JSON with a line for each option, so that a difference can be read."""
    rows = (
        f"{json.dumps(key)}: {_text(each, depth - 1) if depth and isinstance(each, dict) else json.dumps(each)}"
        for key, each in value.items()
    )
    return "{\n" + ",\n".join(rows) + "}"


def _section(name: str | None) -> str:
    """Section names are compared in lower case, except DEFAULT."""
    return "DEFAULT" if name in {None, "DEFAULT"} else str(name).lower()


def _described(option: Any, section: str) -> Option:
    default = _default(option)
    aliases = [
        [_section(other.group) if other.group else section, other.name or option.dest]
        for other in option.deprecated_opts
    ]
    found: Option = {"type": _type(option.type)}
    if default is not None:
        found["default"] = default if _is_plain(default) else str(default)
    if aliases := [alias for alias in aliases if alias != [section, option.dest]]:
        found["aliases"] = aliases
    if option.multi:
        found["multi"] = True
    return found


def _default(option: Any) -> Any:
    """The default; none if it depends on the machine and only described in words."""
    if option.dest in OF_THE_MACHINE:
        return None
    if option.sample_default is None:
        return option.default
    try:
        option.type(option.sample_default)
    except (TypeError, ValueError):
        return None
    return option.sample_default


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _type(kind: Any) -> Option:
    """The class of oslo_config.types, and those of its arguments that differ from their defaults."""
    from oslo_config import types as oslo_types

    for base in getattr(type(kind), "__mro__", ()):
        if base.__module__ == oslo_types.__name__ and base is not oslo_types.ConfigType:
            found: Option = {"name": base.__name__}
            for name, parameter in list(inspect.signature(base.__init__).parameters.items())[1:]:
                value = getattr(kind, name, None)
                if (
                    name not in {"type_name", "sample_min", "sample_max"}
                    and value != parameter.default
                ):
                    found[name] = _argument(name, value)
            return {
                key: value
                for key, value in found.items()
                if value is not None and (key, value) != ("max_length", 0)
            }
    return {"name": "String"}


def _argument(name: str, value: Any) -> Any:
    if name in {"item_type", "value_type"}:
        return None if _type(value) == {"name": "String"} else _type(value)
    if isinstance(value, re.Pattern):
        return value.pattern
    if name == "choices" and value:
        return [each[0] if isinstance(each, tuple) else each for each in value]
    return value


class _Any(type):
    """A class that has every attribute, can be called, and can be a base or a decorator."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Any(name, (Exception,), {})

    def __call__(cls, *given: Any, **named: Any) -> Any:
        is_decorated = len(given) == 1 and callable(given[0]) and not named
        return given[0] if is_decorated else _Any(cls.__name__, (Exception,), {})

    def __iter__(cls) -> Iterator[Any]:
        return iter(())


class _Empty(types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: MutableSequence[str] = []  # so that it is a package

    def __getattr__(self, name: str) -> Any:
        return getattr(_Any("absent", (Exception,), {}), name)


class _Finder:
    """Finds an empty module for each of `ABSENT`, and for the modules below it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        absent = any(name == each or name.startswith(f"{each}.") for each in ABSENT.split())
        return ModuleSpec(name, self, is_package=True) if absent else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _make_old_code_importable() -> None:
    for name in ("Callable", "Iterable", "Mapping", "MutableMapping", "MutableSet", "Sequence"):
        setattr(collections, name, getattr(collections.abc, name))
    inspect.getargspec = inspect.getfullargspec  # type: ignore[assignment]
    sys.meta_path.insert(0, _Finder())


if __name__ == "__main__":
    main(sys.argv[1:])
