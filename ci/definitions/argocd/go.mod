// What the cluster tests take Argo CD's definitions from; nothing of it is built.
module k8s-mtp/ci/definitions/argocd

go 1.25.0

require github.com/argoproj/argo-cd/v3 v3.5.7
