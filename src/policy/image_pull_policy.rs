//! An image is asked for anew whenever a container starts.

use super::{EVERY, Example, Mode, Policy};

/// The row of [`super::POLICIES`].
///
/// Off unless it is asked for: images of a registry without passwords, or of nodes that no two tenants share, lose nothing by
/// being cached, and a registry that is down then stops no pod. What is meant is check MTB-PL1-CC-DI-1 of the multi-tenancy
/// working group's benchmark. Volumes of images have a `pullPolicy` of their own, which this does not look at. Absent, it is
/// what Kubernetes makes of it: `Always` for the tag `latest`, stated or not.
///
/// Source: <https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting>
pub const POLICY: Policy = Policy {
    id: "image-pull-policy",
    title: "an image that is not asked for anew",
    why: "An image that one tenant's password fetched stays on the node, and whoever knows its name starts it there without \
          any password.",
    fix: "State `imagePullPolicy: Always` for the container: layers that the node has are not fetched again, the right to \
          them is asked for.",
    breach: "must have imagePullPolicy Always",
    about: EVERY,
    resources: false,
    within: None,
    unless_said: Mode::Off,
    holds: |_, container| match container.value["imagePullPolicy"].as_str() {
        Some(stated) => stated == "Always",
        None => container.value["image"].as_str().is_some_and(is_latest),
    },
    // As an API server has it, it is always stated.
    cel: "has(c.imagePullPolicy) ? c.imagePullPolicy == 'Always'\n\
          : has(c.image) && c.image.matches('^([^@]*/)?[^:/@]+(:latest(@.*)?)?$')",
    examples: &[
        Example {
            about: "if it is not there",
            holds: false,
            spec: "containers: [{name: nginx, imagePullPolicy: IfNotPresent}]",
        },
        Example {
            about: "what the node has, and nothing else",
            holds: false,
            spec: "containers: [{name: nginx, imagePullPolicy: Never}]",
        },
        Example {
            about: "a debugger's",
            holds: false,
            spec: "ephemeralContainers: [{name: debugger, imagePullPolicy: Never}]",
        },
        Example {
            about: "always",
            holds: true,
            spec: "{initContainers: [{name: setup, imagePullPolicy: Always}], containers: [{name: nginx, imagePullPolicy: Always}]}",
        },
        Example {
            about: "not said, of a version",
            holds: false,
            spec: "containers: [{name: nginx, image: \"registry.example.org:5000/app:1.0\"}]",
        },
        Example {
            about: "not said, of a digest",
            holds: false,
            spec: "containers: [{name: nginx, image: nginx@sha256:1111111111111111111111111111111111111111111111111111111111111111}]",
        },
        Example {
            about: "not said, of no version: always",
            holds: true,
            spec: "containers: [{name: nginx, image: \"registry.example.org:5000/nginx\"}]",
        },
    ],
};

/// Whether the tag of an image is `latest`: the one that is stated, or else the one of an image without tag and digest.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none() && !last.is_empty(),
    }
}
