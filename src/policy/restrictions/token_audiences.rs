//! Whether a pod can speak to the API server.

use super::{About, Example, Restriction, SAME, add, each, same};

/// The row of [`super::RESTRICTIONS`]. `apiTokens: false` of a Platform or Tier stands for an empty list. A token for somebody
/// else, of another `audience`, is none for the API server.
///
/// Secrets of type `kubernetes.io/service-account-token` are not looked at: whoever may write Secrets and mounts one has a token.
///
/// A pod that says nothing gets one by its ServiceAccount, as a volume that the API server adds before it asks; the `default`
/// one that is rendered gives none. Before, nobody knows.
///
/// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/>
pub const RESTRICTION: Restriction = Restriction {
    id: "api-tokens",
    field: "apiTokens",
    title: "a token for the API server in a pod",
    why: "A token is the first thing that whoever breaks into a pod takes along.",
    fix: "State `automountServiceAccountToken: false`, and take the projected volume out.",
    what: "API token by",
    about: About::Pods,
    entry: |_| Err("expected `false`".to_owned()),
    items: |spec| {
        let mut all = Vec::new();
        let with_token = each(&spec["volumes"]).filter(|volume| {
            let tokens = each(&volume["projected"]["sources"]).map(|source| &source["serviceAccountToken"]);
            tokens.filter(|token| token.is_object()).any(|token| token["audience"].as_str().is_none_or(str::is_empty))
        });
        let names: Vec<&str> = with_token.filter_map(|volume| volume["name"].as_str()).collect();
        if spec["automountServiceAccountToken"] == true || names.iter().any(|name| name.starts_with(ADDED)) {
            add(&mut all, AUTOMOUNT);
        }
        names
            .into_iter()
            .filter(|name| !name.starts_with(ADDED))
            .for_each(|name| add(&mut all, format!("volume {name}")));
        all
    },
    items_cel: "(has($of.automountServiceAccountToken) && $of.automountServiceAccountToken\n\
                || has($of.volumes) && $of.volumes.exists(v, v.name.startsWith('kube-api-access-') && has(v.projected) && has(v.projected.sources)\n\
                && v.projected.sources.exists(s, has(s.serviceAccountToken) && (!has(s.serviceAccountToken.audience) || s.serviceAccountToken.audience == '')))\n\
                ? ['automountServiceAccountToken'] : [])\n\
                + (has($of.volumes) ? $of.volumes.filter(v, !v.name.startsWith('kube-api-access-') && has(v.projected) && has(v.projected.sources)\n\
                && v.projected.sources.exists(s, has(s.serviceAccountToken) && (!has(s.serviceAccountToken.audience) || s.serviceAccountToken.audience == '')))\n\
                .map(v, 'volume ' + v.name) : [])",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "asked for",
            list: &[],
            refused: &[AUTOMOUNT],
            object: "{automountServiceAccountToken: true, containers: [{name: a}]}",
        },
        Example {
            about: "as the API server adds it, and by hand",
            list: &[],
            refused: &[AUTOMOUNT, "volume mine"],
            object:
                "volumes: [{name: kube-api-access-x2x4z, projected: {sources: [{serviceAccountToken: {path: token}}]}},
                {name: mine, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600}}]}}]",
        },
        Example {
            about: "for somebody else",
            list: &[],
            refused: &[],
            object: "{automountServiceAccountToken: false, volumes: [{name: vault, projected: {sources: [{serviceAccountToken: {path: token, audience: vault}}]}}]}",
        },
    ],
};

/// What volumes are called that the API server adds.
const ADDED: &str = "kube-api-access-";

/// What a pod says, or its ServiceAccount for it.
const AUTOMOUNT: &str = "automountServiceAccountToken";
