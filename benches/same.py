"""Whether helm-chart/ makes the same objects as mtp: `same.py RENDERED_TENANTS HELM_OUTPUT`, the first in layout namespace.

The Tenant object is left out: a chart has no use for it.
"""

import pathlib
import sys

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def objects(texts):
    found = {}
    for text in texts:
        for document in yaml.load_all(text, Loader):
            if document and document["kind"] != "Tenant":
                metadata = document["metadata"]
                key = (document["kind"], metadata.get("namespace"), metadata["name"])
                if key in found:
                    sys.exit(f"{key} is there twice")
                found[key] = document
    return found


ours = objects(path.read_text() for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.yaml")))
theirs = objects([pathlib.Path(sys.argv[2]).read_text()])
different = sorted((key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)), key=str)
for key in different[:3]:
    print(f"{key}:\n  mtp  {ours.get(key)}\n  helm {theirs.get(key)}", file=sys.stderr)
if different:
    sys.exit(f"{len(different)} of {len(ours)} objects differ")
print(f"{len(ours)} objects of mtp and helm are the same")
