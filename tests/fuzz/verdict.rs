//! What holds for the webhook's answer to any body: the policies seen by other eyes, and patches that are applied.

use std::sync::LazyLock;

use k8s_mtp::{Verdict, View, mutate, validate};
use serde_json::Value;

/// Two tenants: of one, everything is asked; of the other, little.
static VIEW: LazyLock<View> = LazyLock::new(|| {
    let tiers =
        "{\"free\": {}, \"lax\": {\"read-only-root\": \"warn\", \"cpu-limits\": \"audit\", \"non-root\": \"off\"}}";
    let all = "{\"tenant-a-x\": {\"tenant\": \"a\", \"tier\": \"free\"}, \"tenant-a-y\": {\"tenant\": \"a\", \"tier\": \"lax\", \
               \"exempt\": {\"privileged\": \"o: r\"}}}";
    View::read(|name| {
        Ok(match name {
            "tiers.json" => tiers,
            "namespaces-0.json" => all,
            _ => "{}",
        }
        .into())
    })
    .expect("a view")
});

/// Judges a body both ways.
pub fn judged(data: &[u8]) {
    let asked: Option<Value> = serde_json::from_slice(data).ok();
    let (validated, mutated) = (validate(data, &VIEW), mutate(data, &VIEW));
    assert_eq!(validated.is_ok(), mutated.is_ok(), "both read the same");
    let (Ok(validated), Ok(mutated)) = (validated, mutated) else { return };
    // Deeper than other readers go, in a place that no policy looks at.
    let Some(asked) = asked else { return };
    for answer in [&validated, &mutated] {
        let review: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(review["response"]["uid"], asked["request"]["uid"]);
        assert_eq!(review["response"]["allowed"], answer.verdict != Verdict::Denied);
        assert_eq!(review["response"]["status"].is_object(), answer.verdict == Verdict::Denied);
        let message = review["response"]["status"]["message"].as_str().unwrap_or_default();
        assert!(answer.verdict != Verdict::Denied || !message.is_empty());
    }
    let request = &asked["request"];
    let is_new_pod = request["operation"] == "CREATE"
        && request["resource"]["resource"] == "pods"
        && request["resource"]["group"] == ""
        && request["subResource"].as_str().unwrap_or_default().is_empty();
    // By other eyes: whoever is privileged anywhere is refused, but for who is let off.
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let all = lists.iter().flat_map(|list| request["object"]["spec"][*list].as_array().into_iter().flatten());
    let privileged = all.filter(|container| container["securityContext"]["privileged"] == true).count() > 0;
    if is_new_pod && privileged && request["namespace"] != "tenant-a-y" {
        assert_eq!(validated.verdict, Verdict::Denied);
    }
    if mutated.verdict == Verdict::Patched {
        patched(asked, &mutated.body);
    }
}

/// Applies the patch: it sets our labels, touches nothing else, and a second run has nothing to do.
fn patched(mut asked: Value, answer: &[u8]) {
    use base64::Engine;
    let review: Value = serde_json::from_slice(answer).expect("JSON");
    let patch = review["response"]["patch"].as_str().expect("a patch");
    let patch = base64::prelude::BASE64_STANDARD.decode(patch).expect("base64");
    let patch: Vec<Value> = serde_json::from_slice(&patch).expect("JSON");
    let before = asked["request"]["object"].clone();
    let object = &mut asked["request"]["object"];
    for step in patch {
        assert_eq!(step["op"], "add");
        let path = step["path"].as_str().expect("a path");
        let (parent, key) = path.rsplit_once('/').expect("a path");
        let key = key.replace("~1", "/").replace("~0", "~");
        let parent = object.pointer_mut(parent).expect("what is added to is there");
        parent.as_object_mut().expect("a map").insert(key, step["value"].clone());
    }
    let ours = ["tenant.k8s-mtp.io/name", "tenant.k8s-mtp.io/tier"];
    let (mut now, mut then) = (object.clone(), before);
    // What was stated stays.
    let stated = &then["metadata"]["labels"][ours[0]];
    assert_eq!(now["metadata"]["labels"][ours[0]], if stated.is_null() { "a".into() } else { stated.clone() });
    for object in [&mut now, &mut then] {
        if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
            ours.iter().for_each(|key| drop(labels.remove(*key)));
        } else {
            object["metadata"]["labels"] = serde_json::json!({});
        }
    }
    assert_eq!(now, then, "nothing but our labels changes");
    let again = mutate(asked.to_string().as_bytes(), &VIEW).expect("it was read before");
    assert_eq!(again.verdict, Verdict::Allowed, "a second run has nothing to do");
}
