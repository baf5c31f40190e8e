fn main(){ let s = schemars::schema_for!(k8s_mtp::contract::PlatformFile); println!("{}", serde_json::to_string_pretty(&s).unwrap());}
