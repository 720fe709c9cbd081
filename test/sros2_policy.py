"""Reads an SROS 2 policy by the rules of ``ros2 security``, and compares it with what nodes do.

The rules are those of the schema ``policy.xsd`` (version 0.2.0) and of the template ``permissions.xsl`` in
ros2/sros2: names without a slash are below the profile's ``ns``, ``~`` is the node, and ``*`` stands for
any characters, slashes, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

ONE = {"topics": "topic", "services": "service", "actions": "action"}
RULES = {
    "topics": ("publish", "subscribe"),
    "services": ("reply", "request"),
    "actions": ("execute", "call"),
}
Rules = dict[str, set[str]]
"""Full names or patterns by ``publish``, ``subscribe``, ``reply``, ``request``, ``execute`` and ``call``."""


def read(path: Path) -> dict[str, Rules]:
    """What each enclave may do.

    Raises:
        ValueError: The file is not a policy, or denies something, which this reader leaves out.
    """
    root = ElementTree.parse(path).getroot()
    _expect(root, "policy", {"version"})
    if root.get("version") != "0.2.0" or [child.tag for child in root] != ["enclaves"]:
        raise ValueError("a policy of version 0.2.0 holds enclaves only")
    found: dict[str, Rules] = {}
    for enclave in root[0]:
        _expect(enclave, "enclave", {"path"})
        rules: Rules = {rule: set() for pair in RULES.values() for rule in pair}
        for profiles in enclave:
            _expect(profiles, "profiles", set())
            for profile in profiles:
                _read_profile(profile, rules)
        if not any(rules.values()) or enclave.attrib["path"] in found:
            raise ValueError(f"{enclave.get('path')} is empty or there twice")
        found[enclave.attrib["path"]] = rules
    return found


def _read_profile(profile: ElementTree.Element, rules: Rules) -> None:
    _expect(profile, "profile", {"ns", "node"})
    ns = profile.attrib["ns"].rstrip("/")
    for group in profile:
        if group.tag not in RULES or not len(group):
            raise ValueError(f"{group.tag}: unknown or empty")
        for rule, qualifier in group.attrib.items():
            if rule not in RULES[group.tag] or qualifier != "ALLOW":
                raise ValueError(f"{group.tag}: {rule}={qualifier}")
            for name in group:
                _expect(name, ONE[group.tag], set())
                rules[rule].add(full_name(str(name.text), ns, profile.attrib["node"]))


def _expect(element: ElementTree.Element, tag: str, attributes: set[str]) -> None:
    if element.tag != tag or set(element.attrib) != attributes:
        raise ValueError(f"{element.tag} with {sorted(element.attrib)} instead of {tag} with {attributes}")


def full_name(name: str, ns: str, node: str) -> str:
    """The full name of an expression."""
    if name.startswith("/"):
        return name
    return f"{ns}/{node}{name[1:]}" if name.startswith("~") else f"{ns}/{name}"


def forbidden(rules: Rules, done: Mapping[str, set[str]]) -> set[str]:
    """What a node does and may not, as ``publish /dasha/reward``."""
    return {
        f"{rule} {name}"
        for rule, names in done.items()
        for name in names
        if not any(fnmatchcase(name, allowed) for allowed in rules[rule])
    }


def unused(rules: Rules, done: Mapping[str, set[str]]) -> set[str]:
    """What a node may do and does not."""
    return {
        f"{rule} {allowed}"
        for rule, patterns in rules.items()
        for allowed in patterns
        if not any(fnmatchcase(name, allowed) for name in done[rule])
    }
