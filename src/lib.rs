//! k8s-mtp: tenant YAML in, plain Kubernetes manifests out.
