"""Writes the tenants whose reviews the browser tests look at: `make_tenants.py WHAT DIR`."""

import json
import os
import sys

API = "multitenant.k8s-mtp.io/v1"


def write(folder, path, value):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


def document(kind, name, spec):
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def platform(**more):
    network = {
        "egress": "none",
        "clusterCidrs": ["10.244.0.0/16"],
        "serviceCidrs": ["10.96.0.0/12"],
        "nodeCidrs": ["192.168.0.0/16"],
    }
    return document("Platform", "north", {"kubernetesVersion": "1.36", "network": network, **more})


def tier(pods, **more):
    quota = {"cpu": "4", "memory": "8Gi", "pods": pods}
    defaults = {"container": {"default": {"cpu": "100m", "memory": "128Mi"}}}
    return document("Tier", "free", {"namespaces": 3, "quota": quota, "limitRange": defaults, **more})


def tenant(name, **more):
    spec = {"name": "web", "tier": "free", "ownerEmail": f"owner@{name}.example", "admins": [f"alice@{name}.example"]}
    return document("Tenant", name, {**spec, **more})


def peer(name, port):
    return {"allow": [{"tenant": name, "ports": [{"port": port}]}]}


NAMES = ["acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka"]


def sample(folder):
    write(folder, "tenants/platform.yaml", platform())
    write(folder, "tenants/tiers/free.yaml", tier(20))
    for name in NAMES:
        write(folder, f"tenants/{name}.yaml", tenant(name))
    write(folder, "tenants/hooli.yaml", tenant("hooli", egress=peer("stark", 443)))
    write(folder, "tenants/stark.yaml", tenant("stark", ingress=peer("hooli", 443)))
    write(folder, "tenants/wonka.yaml", tenant("wonka", state="retired"))


def sample_changed(folder):
    write(folder, "tenants/tiers/free.yaml", tier(30))
    write(folder, "tenants/acme.yaml", tenant("acme", egress={"internet": True, **peer("globex", 8080)}))
    write(folder, "tenants/globex.yaml", tenant("globex", ingress=peer("acme", 8080), quota={"pods": 12}))
    write(folder, "tenants/initech.yaml", tenant("initech", admins=["alice@initech.example", "carol@initech.example"]))
    write(folder, "tenants/hooli.yaml", tenant("hooli", egress=peer("stark", 8443)))
    write(folder, "tenants/stark.yaml", tenant("stark", ingress=peer("hooli", 8443)))
    write(folder, "tenants/wayne.yaml", tenant("wayne-corp"))
    write(folder, "tenants/umbrella.yaml", tenant("umbrella", state="suspended"))
    if os.path.exists(os.path.join(folder, "tenants/wonka.yaml")):
        os.remove(os.path.join(folder, "tenants/wonka.yaml"))
    # What one of them does is answered for.
    approval = {
        "finding": os.environ.get("MTP_FINDING", "ingress-opened-000000000000"),
        "tenants": ["globex"],
        "reason": "the shop asks the warehouse",
        "who": "boss@example.com",
        "until": "2099-12-31",
    }
    write(folder, "tenants/platform.yaml", platform(review={"approvals": [approval]}))


HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!-- <script>alert(1)</script>",
    "```\n# x\n```",
    "::error file=x::y%0A%25",
    "\u202edlrow\u2066\u200b\x07\x1b[31m",
    "{{ script }}{{ data }}{{ csp }}",
    "javascript:alert(1)//'\"`",
    "word" * 2000,
]


def hostile(folder):
    for index, name in enumerate(HOSTILE):
        for side, value in (("old", "1"), ("new", "2")):
            labels = {"tenant.k8s-mtp.io/name": name}
            metadata = {"name": name, "namespace": name, "labels": labels}
            config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {name: value + name}}
            write(folder, f"{side}/{index}.json", config)
            rbac = "rbac.authorization.k8s.io"
            binding = {
                "apiVersion": f"{rbac}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
                "subjects": [{"kind": "User", "name": name, "apiGroup": rbac}] if side == "new" else [],
            }
            write(folder, f"{side}/b{index}.json", binding)


def large(folder):
    write(folder, "tenants/platform.yaml", platform(output={"layout": "namespace"}))
    write(folder, "tenants/tiers/free.yaml", tier(20))
    for index in range(10_000):
        write(folder, f"tenants/{index // 1000}/team-{index:05}.yaml", of_fleet(index, 443))


def of_fleet(index, port):
    """Each tenant reaches its neighbour, so that there are as many pairs as tenants."""
    before, after = (index - 1) % 10_000, (index + 1) % 10_000
    more = {"egress": peer(f"team-{after:05}", port), "ingress": peer(f"team-{before:05}", port)}
    return tenant(f"team-{index:05}", **more)


def large_changed(folder):
    write(folder, "tenants/tiers/free.yaml", tier(30, podSecurity={"level": "baseline"}))
    for index in range(0, 10_000, 100):
        write(folder, f"tenants/{index // 1000}/team-{index:05}.yaml", tenant(f"team-{index:05}", quota={"pods": 5 + index // 100 % 25}, **{
            key: value for key, value in of_fleet(index, 443)["spec"].items() if key in ("egress", "ingress")
        }))


if __name__ == "__main__":
    what, where = sys.argv[1:]
    makers = [sample, sample_changed, hostile, large, large_changed]
    {maker.__name__.replace("_", "-"): maker for maker in makers}[what](where)
