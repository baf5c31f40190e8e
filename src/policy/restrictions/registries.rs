//! Where images come from.

use super::{About, Example, PLAIN, Restriction, add, each};

/// The row of [`super::RESTRICTIONS`].
///
/// An image without a host is one of `docker.io`, one of a single word of `docker.io/library`: so containerd reads it. CRI-O asks its
/// own list of registries for such a name: where it runs, only names with a host say where an image comes from.
///
/// Source: <https://github.com/distribution/reference/blob/main/normalize.go>
pub const RESTRICTION: Restriction = Restriction {
    id: "registries",
    field: "registries",
    title: "an image of another registry",
    why: "Whatever anybody has pushed anywhere runs beside other tenants, and nobody has scanned it.",
    fix: "Take the image from a registry of the list, or have the platform team add its registry, or a path in it.",
    what: "image",
    about: About::Pods,
    entry: |entry| {
        let (host, path) = entry.split_once('/').unwrap_or((entry, ""));
        let is_path = path.is_empty() && !entry.ends_with('/') || path.split('/').all(|part| !part.is_empty() && part.chars().all(is_of_path));
        if is_host(host) && is_path {
            Ok(())
        } else {
            Err("expected a registry by its host, and perhaps a path: `registry.example.org/team`".to_owned())
        }
    },
    items: |spec| {
        let mut all = Vec::new();
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for image in each(&spec[list]).filter_map(|container| container["image"].as_str()).filter(|i| !i.is_empty()) {
                add(&mut all, image);
            }
        }
        for image in each(&spec["volumes"]).filter_map(|volume| volume["image"]["reference"].as_str()).filter(|i| !i.is_empty()) {
            add(&mut all, image);
        }
        all
    },
    items_cel: "(has($of.initContainers) ? $of.initContainers.filter(c, has(c.image)).map(c, c.image) : [])\n\
                + (has($of.containers) ? $of.containers.filter(c, has(c.image)).map(c, c.image) : [])\n\
                + (has($of.ephemeralContainers) ? $of.ephemeralContainers.filter(c, has(c.image)).map(c, c.image) : [])\n\
                + (has($of.volumes) ? $of.volumes.filter(v, has(v.image) && has(v.image.reference)).map(v, v.image.reference) : [])",
    allows: |entry, image| {
        let whole = whole(image);
        whole.strip_prefix(entry).is_some_and(|rest| match rest.chars().next() {
            Some('/') => true,
            // Behind a host, `:` begins its port.
            Some(':' | '@') | None => entry.contains('/'),
            Some(_) => false,
        })
    },
    allows_cel: "i.startsWith(e + '/')\n|| e.contains('/') && (i == e || i.startsWith(e + ':') || i.startsWith(e + '@'))",
    whole_cel: "[i.matches('^(localhost|[^/]*[.:A-Z][^/]*)/') ? i : 'docker.io/' + i]\n\
                .map(w, w.startsWith('index.docker.io/') ? 'docker.io/' + w.substring(16) : w)\n\
                .map(w, w.matches('^docker[.]io/[^/]*$') ? 'docker.io/library/' + w.substring(10) : w)[0]",
    // An entry is the beginning of what it lets.
    covers: Some(|old, new| (RESTRICTION.allows)(old, &format!("{new}/a"))),
    examples: &[
        Example {
            about: "of that registry, by a tag and by a digest, in all lists",
            list: &["registry.example.org"],
            refused: &[],
            object: "{initContainers: [{name: a, image: registry.example.org/a@sha256:1111111111111111111111111111111111111111111111111111111111111111}],
                containers: [{name: b, image: registry.example.org/team/b:1.0}]}",
        },
        Example {
            about: "of a path in it: neither the one beside it, nor a registry whose name only begins so, nor another port",
            list: &["registry.example.org/team"],
            refused: &["registry.example.org/teams/a:1", "registry.example.org.evil.example/team/a", "registry.example.org:5000/team/a"],
            object: "{containers: [{name: a, image: registry.example.org/teams/a:1}, {name: b, image: registry.example.org.evil.example/team/a},
                {name: c, image: registry.example.org:5000/team/a}, {name: d, image: registry.example.org/team:1}, {name: e, image: registry.example.org/team/d}]}",
        },
        Example {
            about: "a port is a part of the host",
            list: &["registry.example.org"],
            refused: &["registry.example.org:5000/a"],
            object: "containers: [{name: a, image: \"registry.example.org:5000/a\"}]",
        },
        Example {
            about: "without a host",
            list: &["docker.io/library"],
            refused: &["team/app:1", "localhost/app"],
            object: "{containers: [{name: a, image: nginx}, {name: b, image: team/app:1}, {name: c, image: \"nginx:1.0\"}, {name: d, image: localhost/app}]}",
        },
        Example {
            about: "without a path, by both names of the host",
            list: &["docker.io/library"],
            refused: &["index.docker.io/team/app"],
            object: "{containers: [{name: a, image: docker.io/nginx}, {name: b, image: index.docker.io/library/nginx}, {name: c, image: index.docker.io/team/app}]}",
        },
        Example {
            about: "an image that is mounted, and one for debugging",
            list: &[],
            refused: &["busybox", "registry.example.org/model:1"],
            object: "{ephemeralContainers: [{name: a, image: busybox}], volumes: [{name: model, image: {reference: registry.example.org/model:1}}]}",
        },
    ],
    ..PLAIN
};

fn is_of_path(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter)
}

/// A name or an IPv6 address in brackets, with a port or without; not one word, which would be a path.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address));
    let is_name = crate::names::is_dns_subdomain(name) && (name == "localhost" || name.contains('.') || port.is_some());
    (is_address || is_name)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port))
}

/// The name with its host, as the runtimes complete it.
fn whole(image: &str) -> String {
    let (host, path) = match image.split_once('/') {
        Some((host, path))
            if host == "localhost" || host.chars().any(|c| ".:".contains(c) || c.is_ascii_uppercase()) =>
        {
            (if host == "index.docker.io" { "docker.io" } else { host }, path)
        }
        _ => ("docker.io", image),
    };
    let library = if host == "docker.io" && !path.contains('/') { "library/" } else { "" };
    format!("{host}/{library}{path}")
}

#[cfg(test)]
mod tests {
    use super::RESTRICTION;

    #[test]
    fn an_image_of_one_word_is_one_of_the_library() {
        let lets = |entry: &str, image: &str| (RESTRICTION.allows)(entry, image);
        assert!(lets("docker.io/team", "team/app") && lets("docker.io/team", "index.docker.io/team/app"));
        assert!(!lets("docker.io/team", "docker.io/team") && !lets("docker.io/team", "team:1"));
        assert!(lets("docker.io/library/team", "docker.io/team") && lets("docker.io", "team"));
    }

    #[test]
    fn an_entry_is_a_host_with_or_without_a_path() {
        for entry in [
            "registry.example.org",
            "registry.example.org:5000/a/b-c",
            "localhost",
            "docker.io/library",
            "[2001:db8::1]:5000",
            "registry:5000",
        ] {
            (RESTRICTION.entry)(entry).unwrap_or_else(|why| panic!("{entry}: {why}"));
        }
        for entry in [
            "",
            "nginx",
            "team/app",
            "registry.example.org/",
            "registry.example.org//a",
            "https://a.example",
            "a.example/A",
            "a.example/*",
            ".",
            ":",
            "[]:",
            "a.example:",
            "a.example:080",
            "A.example",
            "[2001:0db8::1]",
        ] {
            assert!((RESTRICTION.entry)(entry).is_err(), "{entry}");
        }
    }
}
