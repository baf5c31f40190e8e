//! `Rendered`: what the platform owns, as files in memory; the pivot of the program.
//!
//! `render` writes it, `--check` and `diff` compare it, `sync` applies it; none of them parses YAML that was just made.
//! The typed objects are not kept beside their bytes, which would take several times the memory: builders are pure, so
//! that [`Rendered::objects`] makes them again from the plan, value for value.

use rayon::prelude::*;
use serde::Serialize;

use crate::contract::platform::Layout;
use crate::diagnostic::Findings;
use crate::emit::emit as emit_value;
use crate::gitops::{self, GITOPS_FOLDER};
pub use crate::identity::{ObjectId, is_kubernetes_own};
use crate::objects::shared::Specs;
use crate::objects::{self, InNamespace, InTenant, Object};
use crate::place::Place;
use crate::plan::{Plan, TenantPlan, folder_order};

/// The folder of the output, relative to the root.
pub const RENDERED: &str = "rendered";

/// The name of the file that lists a folder for kustomize.
pub const KUSTOMIZATION: &str = "kustomization.yaml";

/// The folder of what belongs to the platform, relative to the root.
pub const PLATFORM_FOLDER: &str = "rendered/platform";

/// The folder of the tenants' folders, relative to the root.
pub const TENANTS_FOLDER: &str = "rendered/tenants";

/// The file that marks the folder as ours, relative to the root. Neither YAML nor JSON by its name, because Flux and
/// Argo CD read all of those.
pub const MARKER: &str = "rendered/.k8s-mtp";

/// [`MARKER`] within its folder.
pub const MARKER_NAME: &str = ".k8s-mtp";

/// What [`MARKER`] holds; constant, so that no two branches ever differ in it.
pub const MARKER_TEXT: &str = "\
This folder is written by k8s-mtp from tenants/. Files that begin with its header line are replaced and removed by
`mtp render`; edit tenants/ instead.
";

/// How [`MARKER`] begins, in every version.
pub const MARKER_START: &str = "This folder is written by k8s-mtp ";

/// How the first line of each of our files begins; the path of the input file follows.
pub const HEADER: &str = "# Rendered by k8s-mtp from ";

/// The longest name of a file: what disks take, less the prefix that it has while it is being written.
const MAX_NAME: usize = 255 - crate::tree::TEMPORARY.len();

/// The most bytes of one object: etcd takes a request of 1.5 MiB.
const MAX_OBJECT: usize = 1024 * 1024;

/// The rendered files, in path order.
#[derive(Debug, Default)]
pub struct Rendered {
    /// All files except the marker, sorted by path, each path once.
    pub files: Vec<File>,
    /// How many objects they hold.
    pub total: usize,
    plan: Option<Plan>,
}

/// One file of the output.
#[derive(Debug, Clone)]
pub struct File {
    /// Path relative to the root, with `/`: `rendered/platform/namespace-k8s-mtp.yaml`.
    pub path: String,
    /// What it holds; `None` once a caller of [`crate::render_each`] took it.
    pub content: Option<Content>,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub struct Content {
    /// The bytes, header line included.
    pub bytes: Vec<u8>,
    /// The objects in it, in the order of the file.
    pub objects: Vec<Entry>,
}

/// One object of a file: what it is and whom it comes from.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Which object.
    pub id: ObjectId,
    /// The entry of `tenants/` that it is made for.
    pub at: Place,
}

impl File {
    /// Its first object.
    pub fn first(&self) -> Option<&Entry> {
        self.content.as_ref()?.objects.first()
    }
}

impl Rendered {
    /// What is to be on disk, the marker included, in path order; without files whose content was taken.
    pub fn tree(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.files.iter().filter_map(|f| Some((f.path.as_str(), f.content.as_ref()?.bytes.as_slice())));
        std::iter::once((MARKER, MARKER_TEXT.as_bytes())).chain(files)
    }

    /// Whether `folder` is that of engines, of the platform or of a tenant.
    pub fn has_folder(&self, folder: &str) -> bool {
        let inside = format!("{folder}/");
        let next = self.files.partition_point(|f| f.path < inside);
        self.files.get(next).is_some_and(|f| f.path.starts_with(&inside))
    }

    /// The file at `path`.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.binary_search_by(|f| f.path.as_str().cmp(path)).ok().map(|i| &self.files[i])
    }

    /// The objects of the files, typed, with the places that their values come from; a tenant at a time, in any order.
    pub fn objects(&self, each: impl Fn(Vec<Object>) + Sync) {
        let Some(plan) = &self.plan else { return };
        gitops::folders(plan).into_iter().for_each(|folder| each(folder.objects));
        each(objects::of_platform(plan));
        let specs = Specs::default();
        plan.tenants.par_iter().for_each(|tenant| each(objects_of(plan, tenant, &specs, true)));
    }

    /// The objects of the platform, without those for engines, which no cluster needs that has none.
    pub fn of_platform(&self) -> Vec<Object> {
        self.plan.as_ref().map(objects::of_platform).unwrap_or_default()
    }

    /// The objects of a tenant.
    pub fn of_tenant(&self, name: &str) -> Vec<Object> {
        let Some(plan) = &self.plan else { return Vec::new() };
        let Some(tenant) = find(&plan.tenants, name) else { return Vec::new() };
        objects_of(plan, tenant, &Specs::default(), false)
    }

    /// Whether there is anything: with an error among the diagnostics there is nothing.
    pub fn plan_is_there(&self) -> bool {
        self.plan.is_some()
    }

    /// The plan that the files were made from.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }
}

/// The objects of a tenant, with or without the places that their values come from.
fn objects_of(plan: &Plan, tenant: &TenantPlan, specs: &Specs, origins: bool) -> Vec<Object> {
    let scope = InTenant { platform: &plan.platform, tenant };
    let mut all = objects::of_tenant(&scope);
    for namespace in &tenant.namespaces {
        let platform = scope.platform;
        all.extend(objects::of_namespace(&InNamespace { platform, tenant, namespace, specs, origins }));
    }
    all
}

fn find<'p>(tenants: &'p [TenantPlan], name: &str) -> Option<&'p TenantPlan> {
    let found = tenants.binary_search_by(|tenant| folder_order(&tenant.name, name));
    found.ok().map(|index| &tenants[index])
}

/// Who gets the files of a folder, in path order, once they are made; may take what they hold.
pub type Each<'a> = &'a (dyn Fn(&str, &mut [File]) + Sync);

/// Makes the files of a plan.
pub fn emit(plan: Plan, each: Each<'_>, findings: &mut Findings) -> Rendered {
    let mut files = of_engines(&plan, findings);
    let mut total = count(&files);
    if !files.is_empty() {
        each(GITOPS_FOLDER, &mut files);
    }
    let mut of_platform: Vec<File> = Vec::new();
    each_in_a_file(objects::of_platform(&plan), PLATFORM_FOLDER, &mut of_platform, findings);
    of_platform.sort_by(|a, b| a.path.cmp(&b.path));
    total += count(&of_platform);
    each(PLATFORM_FOLDER, &mut of_platform);
    files.append(&mut of_platform);

    let specs = Specs::default();
    let tenants: Vec<(Vec<File>, usize, Findings)> = plan
        .tenants
        .par_iter()
        .map(|tenant| {
            let mut findings = Findings::default();
            let folder = format!("{TENANTS_FOLDER}/{}", tenant.name);
            let mut files = of_tenant(&plan, tenant, &folder, &specs, &mut findings);
            let count = count(&files);
            each(&folder, &mut files);
            for content in files.iter_mut().filter_map(|f| f.content.as_mut()) {
                content.bytes.shrink_to_fit();
            }
            (files, count, findings)
        })
        .collect();
    files.reserve(tenants.iter().map(|(files, ..)| files.len()).sum());
    // Tenants are in the order of their folders, so that the whole is in path order.
    for (mut made, count, found) in tenants {
        files.append(&mut made);
        total += count;
        findings.merge(found);
    }
    Rendered { files, total, plan: Some(plan) }
}

fn count(files: &[File]) -> usize {
    files.iter().filter_map(|f| f.content.as_ref()).map(|c| c.objects.len()).sum()
}

/// One object a file in every layout: each is one line of a list, and reviewed by itself.
fn of_engines(plan: &Plan, findings: &mut Findings) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for folder in gitops::folders(plan) {
        let path = format!("{GITOPS_FOLDER}/{}", folder.path);
        let first = files.len();
        each_in_a_file(folder.objects, &path, &mut files, findings);
        if folder.listed {
            files[first..].sort_by(|a, b| a.path.cmp(&b.path));
            let file = kustomization(plan, &path, &files[first..], findings);
            files.push(file);
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    report_equal_paths(&files, findings);
    files
}

/// What makes kustomize, and so Flux and `kubectl apply -k`, take the files of a folder and nothing that lies deeper.
fn kustomization(plan: &Plan, folder: &str, files: &[File], findings: &mut Findings) -> File {
    let names = files.iter().filter_map(|file| file.path.strip_prefix(folder)?.strip_prefix('/'));
    let content = Kustomization {
        api_version: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: names.collect(),
    };
    let mut bytes = Vec::new();
    header(&plan.platform.doc.file, &mut bytes);
    if let Err(error) = emit_value(&content, &mut bytes) {
        findings.error("T706", Place::file(folder), format!("the list of {folder} cannot be written: {error}"));
    }
    let content = Some(Content { bytes, objects: Vec::new() });
    File { path: format!("{folder}/{KUSTOMIZATION}"), content }
}

/// The file that lists a folder; no object of a cluster.
///
/// Source: <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kustomization<'a> {
    api_version: &'static str,
    kind: &'static str,
    resources: Vec<&'a str>,
}

fn header(source: &str, out: &mut Vec<u8>) {
    for part in [HEADER, source, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn of_tenant(plan: &Plan, tenant: &TenantPlan, folder: &str, specs: &Specs, findings: &mut Findings) -> Vec<File> {
    let platform = &plan.platform;
    let mut files = Vec::new();
    each_in_a_file(objects::of_tenant(&InTenant { platform, tenant }), folder, &mut files, findings);
    for namespace in &tenant.namespaces {
        let scope = InNamespace { platform, tenant, namespace, specs, origins: false };
        let objects = objects::of_namespace(&scope);
        let path = format!("{folder}/{}", namespace.name);
        match platform.layout {
            Layout::Object => each_in_a_file(objects, &path, &mut files, findings),
            Layout::Namespace => files.push(all_in_a_file(objects, format!("{path}.yaml"), findings)),
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    report_equal_paths(&files, findings);
    files
}

fn each_in_a_file(objects: Vec<Object>, folder: &str, files: &mut Vec<File>, findings: &mut Findings) {
    for object in objects {
        let name = format!("{}.yaml", stem(&object.id));
        if name.len() > MAX_NAME {
            let about = format!(
                "the file of {} would have a name of {} bytes, expected at most {MAX_NAME}",
                object.id,
                name.len()
            );
            findings.error("T706", object.at.clone(), about).hint("shorten the object's name");
        }
        let path = format!("{folder}/{name}");
        files.push(all_in_a_file(vec![object], path, findings));
    }
}

fn all_in_a_file(objects: Vec<Object>, path: String, findings: &mut Findings) -> File {
    let mut bytes = Vec::with_capacity(1536 * objects.len());
    if let Some(first) = objects.first() {
        header(&first.at.path, &mut bytes);
    }
    let mut entries = Vec::with_capacity(objects.len());
    for (index, object) in objects.into_iter().enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b"---\n");
        }
        let before = bytes.len();
        if let Err(error) = object.manifest.emit(&mut bytes) {
            findings.error("T706", object.at.clone(), format!("{} cannot be written: {error}", object.id));
        }
        let size = bytes.len() - before;
        if size > MAX_OBJECT {
            let about = format!("{} would have {size} bytes, expected at most {MAX_OBJECT}", object.id);
            findings.error("T706", object.at.clone(), about).hint("the API server takes no larger one");
        }
        entries.push(Entry { id: object.id, at: object.at });
    }
    File { path, content: Some(Content { bytes, objects: entries }) }
}

/// Two objects whose files a disk that ignores case would take for one.
fn report_equal_paths(files: &[File], findings: &mut Findings) {
    for pair in files.windows(2) {
        if let [a, b] = pair
            && a.path.eq_ignore_ascii_case(&b.path)
            && let (Some(first), Some(second)) = (a.first(), b.first())
        {
            findings
                .error("T108", second.at.clone(), format!("{} and {} would stand in one file", first.id, second.id))
                .related(first.at.clone(), "the other one")
                .hint("rename one of them");
        }
    }
}

/// The name of an object's file without its ending; depends on the object alone.
pub fn stem(id: &ObjectId) -> String {
    let kind = id.kind.to_ascii_lowercase();
    if is_kubernetes_own(&id.group) {
        format!("{kind}-{}", id.name)
    } else {
        format!("{kind}.{}-{}", id.group, id.name)
    }
}
