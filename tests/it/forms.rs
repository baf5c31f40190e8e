//! The forms of a review: what they hold, how large they are, and that nothing which people typed breaks out of them.

use serde_json::Value;

use crate::mtp::{Folder, Ran, mtp};
use crate::reviews::{commit, common};
use k8s_mtp::cli::Exit;

/// Names as nobody should give them. Kubernetes would refuse most; a folder of manifests may hold anything.
const HOSTILE: [&str; 10] = [
    "```\n\n# broke out\n",
    "~~~ `` ` x",
    "</script><img src=x onerror=alert(1)>",
    "</details></summary><h1>x</h1>",
    "::error file=x::y%0A%25",
    "a\r\n::set-output name=x::y",
    "-->\n<!-- mtp-diff north/1 -->",
    "\u{202e}dlrow\u{2066}\u{200b}\u{7}\u{1b}[31m",
    "@everyone #1 [x](javascript:alert(1)) | a | b |",
    "{{ script }}{{ data }}${{ github.token }}",
];

fn folders() -> (Folder, Vec<String>) {
    let folder = Folder::empty();
    let mut names: Vec<String> = HOSTILE.iter().map(|name| (*name).to_owned()).collect();
    names.push("long ".repeat(2000));
    for (index, name) in names.iter().enumerate() {
        for (side, replicas) in [("old", "1"), ("new", "2")] {
            let object = serde_json::json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": name, "labels": {"tenant.k8s-mtp.io/name": name}},
                "data": {"x": format!("{name}{replicas}"), name: replicas},
            });
            folder.write(&format!("{side}/{index}.json"), object.to_string());
            let binding = serde_json::json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": name, "namespace": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                "subjects": if side == "new" { serde_json::json!([{"kind": "User", "name": name}]) } else { serde_json::json!([]) },
            });
            folder.write(&format!("{side}/b{index}.json"), binding.to_string());
        }
    }
    (folder, names)
}

fn run(folder: &Folder, format: &str) -> Ran {
    let sides = ["old", "new"].map(|side| folder.join(side).to_str().expect("UTF-8").to_owned());
    mtp(&["diff", "--output", format, &sides[0], &sides[1]])
}

#[test]
fn hostile_text_stays_text_in_every_form() {
    let (folder, names) = folders();
    for format in ["text", "side-by-side", "summary", "json", "markdown", "html", "github", "sarif", "gitlab"] {
        let ran = run(&folder, format);
        assert_eq!(ran.exit, Exit::Findings, "{format}: {ran}");
        // What steers a terminal or hides from a reader is in no form.
        let hidden = ran.out.chars().find(|c| "\u{7}\u{1b}\u{200b}\u{202e}\u{2066}\r".contains(*c));
        assert_eq!(hidden, None, "{format}");
        match format {
            "json" | "sarif" | "gitlab" => {
                let value: Value = serde_json::from_str(&ran.out).expect("JSON");
                if format == "json" {
                    let told = value.to_string();
                    let name = serde_json::to_string(&names[7]).expect("text");
                    assert!(told.contains(name.trim_matches('"')), "a program gets the author's own text");
                }
            }
            "github" => github(&ran.out),
            "markdown" => markdown(&ran.out),
            "html" => html(&ran.out),
            _ => assert!(ran.out.lines().all(|line| !line.starts_with("::")), "{format}"),
        }
    }
}

/// Every line is a command of ours with the properties of ours.
fn github(text: &str) {
    assert!(text.lines().count() <= 20, "{text}");
    for line in text.lines() {
        let rest = line.strip_prefix("::error ").or(line.strip_prefix("::warning ")).or(line.strip_prefix("::notice "));
        let (properties, message) = rest.and_then(|rest| rest.split_once("::")).unwrap_or_else(|| panic!("{line}"));
        for property in properties.split(',') {
            let (key, _) = property.split_once('=').unwrap_or_else(|| panic!("{line}"));
            assert!(["file", "line", "col", "title"].contains(&key), "{line}");
        }
        assert!(!message.contains("%0A::"), "{line}");
    }
}

/// Outside of code there is no tag but ours, every fence is closed, and the mark stands once.
fn markdown(text: &str) {
    assert!(text.starts_with("<!-- mtp-diff "));
    let mut fence: Option<String> = None;
    let mut seen = 0;
    for line in text.lines() {
        let inner = line.trim_start();
        let run: String = inner.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) => {
                if inner == open {
                    fence = None;
                }
                continue;
            }
            None if run.len() >= 3 => {
                fence = Some(run);
                continue;
            }
            None => {}
        }
        if line.starts_with("<!-- mtp-diff") {
            seen += 1;
            assert_eq!(line, format!("<!-- mtp-diff /{seen} -->"));
        }
        let mut outside = String::new();
        for (index, part) in line.split('`').enumerate() {
            if index % 2 == 0 {
                outside.push_str(part);
            }
        }
        // Of HTML code, forges make nothing else.
        while let Some((start, length)) =
            outside.find("<code>").and_then(|start| Some((start, outside[start..].find("</code>")? + 7)))
        {
            assert_eq!(outside[start..start + length].matches('<').count(), 2, "{line}");
            outside.replace_range(start..start + length, "");
        }
        for tag in outside.split('<').skip(1) {
            let ours = [
                "!-- mtp-diff ",
                "!-- -->",
                "br>",
                "details>",
                "/details>",
                "summary>",
                "/summary>",
                "code>",
                "/code>",
            ];
            assert!(ours.iter().any(|own| tag.starts_with(own)), "{line}");
        }
        // No link, mention or reference: forges look for those in what is shown.
        assert!(!outside.replace("\\]", "").contains("](") && !outside.contains("://"), "{line}");
        for mark in ['@', '#'].iter().filter(|_| !line.starts_with("### ")) {
            let escaped =
                outside.matches(&format!("\\{mark}<!-- -->")).count() + outside.matches(&format!("&{mark}")).count();
            assert_eq!(outside.matches(*mark).count(), escaped, "{line}");
        }
    }
    assert_eq!(fence, None);
}

/// One script of data and one of ours, and no other element that anything could have made.
fn html(text: &str) {
    assert_eq!(text.matches("<script").count(), 2);
    assert_eq!(text.matches("</script>").count(), 2);
    assert_eq!(text.matches("<style").count(), 1);
    assert!(!text.contains("<img") && !text.contains("<h1>x"));
    let policy = text.split("http-equiv").nth(1).and_then(|rest| rest.split('>').next()).expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let data = text.split("id=\"report\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("data");
    let value: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(value["formatVersion"], 1);
}

/// A platform with that many tenants of one tier, three of them with ceilings of their own.
fn fleet(tenants: usize) -> Folder {
    let folder = common();
    for index in 0..tenants {
        let own = if index % (tenants / 3 + 1) == 7 { "  quota:\n    pods: 12\n" } else { "" };
        let text = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata:\n  name: team-{index:05}\nspec:\n  name: web\n  tier: free\n  ownerEmail: team-{index}@example.com\n  admins: [admin-{index}@example.com]\n{own}"
        );
        folder.write(&format!("tenants/fleet/team-{index:05}.yaml"), text);
    }
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), "fleet");
    folder
}

#[test]
fn a_tier_change_over_a_thousand_tenants_fits_and_names_who_differs() {
    let folder = fleet(1000);
    folder.edit("tenants/tiers/free.yaml", "pods: 20", "pods: 30");
    folder.edit("tenants/tiers/free.yaml", "cpu: 500m", "cpu: \"1\"");
    let path = folder.join("review.md");
    let output = format!("markdown={}", path.display());
    let ran = folder.mtp(&["diff", "--output", &output, "--output", "text"]);
    assert_eq!(ran.exit, Exit::Clean, "{}", ran.err);
    let text = folder.read("review.md");
    assert!(text.len() < 64_000, "{} bytes", text.len());
    assert!(!folder.join("review.md.2").exists());
    let spread = "the same in 999 tenants; 3 differ: team-00007, team-00341, team-00675";
    assert!(text.contains(spread), "{text}");
    assert!(ran.out.contains(spread) && ran.out.len() < 64_000, "{}", ran.out);
    assert!(text.contains("the same 999 times in 999 tenants"), "{text}");
}

#[test]
fn markdown_is_split_into_comments_that_are_whole() {
    let folder = Folder::empty();
    let big = |side: &str, value: &str| {
        for index in 0..40 {
            let lines: String =
                (0..90).map(|n| format!("  key-{n:03}: '{value} {index} {}'\n", "x".repeat(30))).collect();
            let text = format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{index}\n  namespace: shop\ndata:\n{lines}"
            );
            folder.write(&format!("{side}/{index}.yaml"), text);
        }
    };
    big("old", "a");
    big("new", "b");
    let sides = ["old", "new"].map(|side| folder.join(side).to_str().expect("UTF-8").to_owned());
    let path = folder.join("out.md");
    folder.write("out.md.2", "of an earlier run");
    folder.write("out.md.9", "not ours to remove: there is a gap before it");
    let output = format!("markdown={}", path.display());
    assert_eq!(mtp(&["diff", "--output", &output, &sides[0], &sides[1]]).exit, Exit::Clean);
    let mut number = 1;
    loop {
        let name = if number == 1 { "out.md".to_owned() } else { format!("out.md.{number}") };
        if !folder.join(&name).exists() {
            break;
        }
        let text = folder.read(&name);
        assert!(text.len() < 65_536, "{name}: {}", text.len());
        assert!(text.starts_with(&format!("<!-- mtp-diff /{number} -->\n")), "{name}");
        assert_eq!(text.lines().filter(|line| line.starts_with("```")).count() % 2, 0, "{name}");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "{name}");
        number += 1;
    }
    assert!(number > 3, "{number}");
    // With less to say, the further parts go.
    assert_eq!(mtp(&["diff", "--output", &output, &sides[0], &sides[0]]).exit, Exit::Clean);
    assert!(!folder.join("out.md.2").exists());
    assert!(folder.read("out.md").contains("no changes"));
}

#[test]
fn what_only_reviews_have_is_refused_elsewhere() {
    let folder = Folder::published();
    for format in ["html", "gitlab", "side-by-side", "summary"] {
        let ran = folder.mtp(&["validate", "--output", format]);
        assert_eq!(ran.exit, Exit::Failed, "{ran}");
        assert!(ran.err.contains("only `mtp diff` has"), "{ran}");
    }
}
