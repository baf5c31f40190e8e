//! SOPS files with age recipients: Secrets whose values only the holders of a key can read. Written and read here as the
//! program `sops` does, so that either side takes what the other wrote.
//!
//! Source: getsops/sops `aes/cipher.go`, `sops.go`, `stores/stores.go`

mod cipher;
mod read;
mod write;

pub use cipher::DataKey;
pub use read::{Sealed, read};
pub use write::{Seal, write};

/// The suffix-free choice of what is encrypted: a Secret's values, and nothing that a reviewer should see.
pub const REGEX: &str = "^(data|stringData)$";

/// How an encrypted value begins.
pub const ENCRYPTED: &str = "ENC[";
