"""Expands a template on standard input as CloudFormation does before it makes anything.

The transform is SAM's own. Conditions are resolved here, because the emulator leaves holes where NoValue stands.
"""

import json
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

NOTHING = object()


class NoManagedPolicies:
    """The template names its policies itself."""

    def load(self):
        return {}


def holds(node):
    (name, of), = node.items()
    if name == "Condition":
        return holds(conditions[of])
    if name == "Fn::Not":
        return not holds(of[0])
    if name == "Fn::And":
        return all(holds(one) for one in of)
    left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in of)  # Fn::Equals
    return left == right


def resolved(node):
    if isinstance(node, list):
        return [one for one in map(resolved, node) if one is not NOTHING]
    if not isinstance(node, dict):
        return node
    if node == {"Ref": "AWS::NoValue"}:
        return NOTHING
    if node == {"Ref": "DeletionProtection"}:
        return values["DeletionProtection"] == "true"  # the emulator would keep the text
    if list(node) == ["Fn::If"]:
        name, yes, no = node["Fn::If"]
        return resolved(yes if holds(conditions[name]) else no)
    return {key: value for key, value in ((k, resolved(v)) for k, v in node.items()) if value is not NOTHING}


template = yaml_parse(sys.stdin.read())
values = {name: str(p["Default"]) for name, p in template.get("Parameters", {}).items() if "Default" in p}
values.update(json.loads(sys.argv[1]))
if template.pop("Transform", None):
    template = transform(template, values, NoManagedPolicies())
conditions = template.pop("Conditions", {})
for part in ("Resources", "Outputs"):
    kept = {}
    for name, one in template.get(part, {}).items():
        condition = one.pop("Condition", None)
        if one.get("Type") == "AWS::CloudWatch::Dashboard":
            continue  # it names the alarms, and the emulator makes none
        # The emulator would delete what is retained when it leaves the stack.
        if condition is None or holds(conditions[condition]) or one.get("DeletionPolicy", "").startswith("Retain"):
            kept[name] = resolved(one)
    template[part] = kept
json.dump(template, sys.stdout)
