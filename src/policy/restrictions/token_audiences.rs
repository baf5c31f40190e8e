//! To whom pods can prove who they are, the API server above all.

use super::{About, Example, PLAIN, Restriction, SAME, add, each, same};

/// The row of [`super::RESTRICTIONS`]. Entries are audiences of ServiceAccount tokens. `""` is the API server's own: a token by the
/// ServiceAccount, or one of a projected volume that names no audience. It has other names, which its flags say
/// (`--api-audiences`, else `--service-account-issuer`); so no audience but those of the list is nobody's danger.
///
/// A Secret of type `kubernetes.io/service-account-token` is one of the API server's own tokens, for whoever mounts it.
///
/// A pod that says nothing gets one by its ServiceAccount, as a volume that the API server adds before it asks; the `default`
/// one that is rendered gives none. Before, nobody knows.
///
/// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/>
pub const RESTRICTION: Restriction = Restriction {
    id: "token-audiences",
    field: "tokenAudiences",
    title: "a token for another audience",
    why: "A token is the first thing that whoever breaks into a pod takes along.",
    fix: "State `automountServiceAccountToken: false`, and take projected tokens for other audiences than those of the list out, and Secrets that are tokens; `\"\"` is the API server.",
    what: "token for the audience",
    about: About::Tokens,
    entry: |entry| {
        if entry.contains(|c: char| c.is_whitespace() || c.is_control() || ",\"[]".contains(c)) {
            Err("expected an audience, or `\"\"` for the API server".to_owned())
        } else {
            Ok(())
        }
    },
    items: |spec| {
        let mut all = Vec::new();
        if spec["automountServiceAccountToken"] == true {
            add(&mut all, "");
        }
        let sources = each(&spec["volumes"]).flat_map(|volume| each(&volume["projected"]["sources"]));
        for token in sources.map(|source| &source["serviceAccountToken"]).filter(|token| token.is_object()) {
            // As the text in CEL takes lists of lists apart.
            let audience = format!("={}", token["audience"].as_str().unwrap_or_default());
            audience.split('\n').filter_map(|part| part.strip_prefix('=')).for_each(|part| add(&mut all, part));
        }
        all
    },
    // No audience of any use has a line's end: so lists of lists become one.
    items_cel: concat!(
        "(has($of.automountServiceAccountToken) && $of.automountServiceAccountToken ? [''] : [])\n",
        "+ (has($of.volumes) ? $of.volumes.filter(v, has(v.projected) && has(v.projected.sources)).map(v,\n",
        "v.projected.sources.filter(s, has(s.serviceAccountToken))\n",
        ".map(s, '=' + (has(s.serviceAccountToken.audience) ? s.serviceAccountToken.audience : '')).join('\\n'))\n",
        ".join('\\n').split('\\n').filter(a, a.startsWith('=')).map(a, a.substring(1)) : [])"
    ),
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "asked for",
            list: &[],
            refused: &[""],
            object: "{automountServiceAccountToken: true, containers: [{name: a}]}",
        },
        Example {
            about: "as the API server adds it, and by hand, by whatever name",
            list: &["vault"],
            refused: &["", "https://kubernetes.default.svc"],
            object:
                "volumes: [{name: kube-api-access-x2x4z, projected: {sources: [{serviceAccountToken: {path: token}}]}},
                {name: mine, projected: {sources: [{configMap: {name: a}}, {serviceAccountToken: {path: token, audience: \"https://kubernetes.default.svc\", expirationSeconds: 3600}}]}}]",
        },
        Example {
            about: "for somebody of the list",
            list: &["vault"],
            refused: &[],
            object: "{automountServiceAccountToken: false, volumes: [{name: vault, projected: {sources: [{serviceAccountToken: {path: token, audience: vault}}]}}]}",
        },
        Example {
            about: "for the API server, which is let",
            list: &[""],
            refused: &["vault"],
            object: "{automountServiceAccountToken: true, volumes: [{name: vault, projected: {sources: [{serviceAccountToken: {path: token, audience: vault}}]}}]}",
        },
    ],
    ..PLAIN
};
