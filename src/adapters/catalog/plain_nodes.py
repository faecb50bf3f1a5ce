import json

import yaml

_TAG = "tag:yaml.org,2002:"
_KINDS = {type(None): "null", bool: "bool", int: "int", float: "float"}


def node_of(value: object) -> yaml.Node:
    """The value as a document would have it, so that it is read the same way."""
    if isinstance(value, dict):
        pairs = [(node_of(str(key)), node_of(item)) for key, item in value.items()]
        return yaml.MappingNode(f"{_TAG}map", pairs)
    if isinstance(value, list | tuple):
        return yaml.SequenceNode(f"{_TAG}seq", [node_of(item) for item in value])
    kind = _KINDS.get(type(value), "str")
    text = json.dumps(value) if kind != "str" else str(value)
    return yaml.ScalarNode(f"{_TAG}{kind}", text)
