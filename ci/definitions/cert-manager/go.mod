// What the cluster tests take cert-manager's definitions from; nothing of it is built.
module k8s-mtp/ci/definitions/cert-manager

go 1.25.0

require github.com/cert-manager/cert-manager v1.21.2
