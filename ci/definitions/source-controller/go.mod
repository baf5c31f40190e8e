// What the cluster tests take the definitions of Flux's sources from; nothing of it is built.
module k8s-mtp/ci/definitions/source-controller

go 1.25.0

require github.com/fluxcd/source-controller v1.9.0
