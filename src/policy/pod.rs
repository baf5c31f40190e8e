//! A pod's `spec` as admission requests carry it, with the values that hold for each container.

use super::json::Json;
use crate::quantity::Quantity;

/// One of a pod's lists of containers. Native sidecars stand among the init containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `initContainers`
    Init,
    /// `containers`
    Main,
    /// `ephemeralContainers`, which `kubectl debug` adds.
    Ephemeral,
}

impl List {
    /// The field of the spec.
    pub fn field(self) -> &'static str {
        match self {
            List::Init => "initContainers",
            List::Main => "containers",
            List::Ephemeral => "ephemeralContainers",
        }
    }
}

/// The `spec` of a pod.
#[derive(Clone, Copy)]
pub struct Pod<'a> {
    spec: &'a Json<'a>,
}

/// One of its containers.
#[derive(Clone, Copy)]
pub struct Container<'a> {
    /// Where it stands.
    pub list: List,
    /// As it was written.
    pub value: &'a Json<'a>,
}

impl<'a> Pod<'a> {
    /// The pod of a spec; whatever is missing or of another type is not there.
    pub fn new(spec: &'a Json<'a>) -> Self {
        Pod { spec }
    }

    /// All containers, list after list.
    pub fn containers(self) -> impl Iterator<Item = Container<'a>> {
        [List::Init, List::Main, List::Ephemeral]
            .into_iter()
            .flat_map(move |list| self.spec[list.field()].items().iter().map(move |value| Container { list, value }))
    }

    /// Whether it runs on Windows, where a part of the security context has no meaning and may not be stated.
    pub fn is_windows(self) -> bool {
        self.spec["os"]["name"] == "windows"
    }

    /// Whether its root is nobody on the node: Kubernetes' user namespaces.
    pub fn has_user_namespace(self) -> bool {
        self.spec["hostUsers"] == false
    }

    /// A value of the security context that containers inherit: their own, or else the pod's.
    pub fn effective(self, container: &Container<'a>, field: &str) -> Option<&'a Json<'a>> {
        let stated = |context: &'a Json<'a>| Some(&context["securityContext"][field]).filter(|value| !value.is_null());
        stated(container.value).or_else(|| stated(self.spec))
    }

    /// Whether it is a process of its Windows host, which is what privileged is on Linux.
    ///
    /// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/>
    pub fn is_host_process(self, container: &Container<'a>) -> bool {
        let stated = |of: &Json<'_>| of["securityContext"]["windowsOptions"]["hostProcess"].as_bool();
        stated(container.value).or_else(|| stated(self.spec)) == Some(true)
    }

    /// Whether a security context is stated for the container, or for its pod.
    pub fn has_security_context(self, container: &Container<'a>) -> bool {
        let stated = |of: &Json<'_>| of["securityContext"].states_something();
        stated(container.value) || stated(self.spec)
    }

    /// The limits that bound the container: its own, and the pod's as a whole.
    pub fn limits(self, container: &Container<'a>) -> impl Iterator<Item = &'a Json<'a>> {
        let both = [&container.value["resources"]["limits"], &self.spec["resources"]["limits"]];
        both.into_iter().filter(|limits| limits.has_fields())
    }

    /// Whether the container's use of a resource is bounded: a limit of nothing is no limit.
    pub fn is_limited(self, container: &Container<'a>, resource: &str) -> bool {
        self.limits(container).any(|limits| match &limits[resource] {
            Json::Text(text) => Quantity::parse(text).is_ok_and(|quantity| quantity.nanos() > 0),
            Json::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
            _ => false,
        })
    }
}

impl<'a> Container<'a> {
    /// Its name; empty where there is none, which no API server admits.
    pub fn name(&self) -> &'a str {
        self.value["name"].as_str().unwrap_or_default()
    }

    /// A value of its own security context, for what is not inherited.
    pub fn security(&self, field: &str) -> &'a Json<'a> {
        &self.value["securityContext"][field]
    }
}
