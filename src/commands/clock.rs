//! `--at`: the time that dates are held against, which whoever runs a command says.
#![expect(clippy::disallowed_methods, reason = "this is the shell: `--at now` asks for its clock")]

use time::OffsetDateTime;

/// Reads the value of `--at`: a time as RFC 3339 writes it, or `now`.
pub fn at(text: &str) -> Result<OffsetDateTime, String> {
    if text == "now" { Ok(OffsetDateTime::now_utc()) } else { crate::certs::due::read(text) }
}
