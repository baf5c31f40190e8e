//! The emitter: values in, YAML bytes out that every reader takes for the same value.
//!
//! Block style, two blanks, no folding, no anchors, no tags. What YAML 1.1 or 1.2, Go's, Python's or Rust's readers could
//! take for something else than text is in double quotes; see [`crate::yaml::plain`]. Invisible and direction-changing
//! characters are escaped, so that a reviewer sees what a cluster gets.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use crate::yaml::plain;

#[cfg(test)]
mod tests;
mod text;

use text::{block, float, indent, is_block, quote};
pub use text::{is_plain, is_visible, one_line, quote as quoted, uncarried};

/// The longest key that is written, in bytes of the file: YAML ends a simple key after 1,024 characters, escapes included.
pub const MAX_KEY: usize = 900;

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmitError(pub String);

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EmitError {}

impl ser::Error for EmitError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        EmitError(message.to_string())
    }
}

/// Appends `value` as one document, without a document marker.
pub fn emit<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EmitError> {
    value.serialize(Emitter { out, indent: 0, after: After::Start })
}

/// What stands before the value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing: the document begins.
    Start,
    /// `key:`
    Key,
    /// `- `
    Dash,
    /// The value is itself the key of a map.
    Name,
}

/// Writes one value. `indent` is the column of the map or list that the value stands in.
struct Emitter<'o> {
    out: &'o mut Vec<u8>,
    indent: usize,
    after: After,
}

impl Emitter<'_> {
    fn scalar(self, text: &[u8]) -> Result<(), EmitError> {
        match self.after {
            After::Key => self.out.push(b' '),
            After::Name => return Err(EmitError("a key is no text".to_owned())),
            After::Start | After::Dash => {}
        }
        self.out.extend_from_slice(text);
        self.out.push(b'\n');
        Ok(())
    }

    fn no_name(&self) -> Result<(), EmitError> {
        if self.after == After::Name { Err(EmitError("a key is no text".to_owned())) } else { Ok(()) }
    }

    /// Column of a map that is the value here.
    fn map_column(&self) -> usize {
        if self.after == After::Start { 0 } else { self.indent + 2 }
    }

    /// Column of a list that is the value here: that of its key, as kubectl writes it.
    fn list_column(&self) -> usize {
        if self.after == After::Dash { self.indent + 2 } else { self.indent }
    }
}

impl<'o> Serializer for Emitter<'o> {
    type Ok = ();
    type Error = EmitError;
    type SerializeSeq = Entries<'o>;
    type SerializeTuple = Entries<'o>;
    type SerializeTupleStruct = Entries<'o>;
    type SerializeTupleVariant = Impossible<(), EmitError>;
    type SerializeMap = Entries<'o>;
    type SerializeStruct = Entries<'o>;
    type SerializeStructVariant = Impossible<(), EmitError>;

    fn serialize_bool(self, v: bool) -> Result<(), EmitError> {
        self.scalar(if v { b"true" } else { b"false" })
    }
    fn serialize_i8(self, v: i8) -> Result<(), EmitError> {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Result<(), EmitError> {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Result<(), EmitError> {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<(), EmitError> {
        self.scalar(itoa::Buffer::new().format(v).as_bytes())
    }
    fn serialize_u8(self, v: u8) -> Result<(), EmitError> {
        self.serialize_u64(v.into())
    }
    fn serialize_u16(self, v: u16) -> Result<(), EmitError> {
        self.serialize_u64(v.into())
    }
    fn serialize_u32(self, v: u32) -> Result<(), EmitError> {
        self.serialize_u64(v.into())
    }
    fn serialize_u64(self, v: u64) -> Result<(), EmitError> {
        self.scalar(itoa::Buffer::new().format(v).as_bytes())
    }
    fn serialize_f32(self, v: f32) -> Result<(), EmitError> {
        self.serialize_f64(v.into())
    }
    fn serialize_f64(self, v: f64) -> Result<(), EmitError> {
        self.scalar(float(v)?.as_bytes())
    }
    fn serialize_char(self, v: char) -> Result<(), EmitError> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, text: &str) -> Result<(), EmitError> {
        match self.after {
            After::Key => self.out.push(b' '),
            After::Name => return name(text, self.out),
            After::Start | After::Dash => {}
        }
        if is_plain(text) {
            self.out.extend_from_slice(text.as_bytes());
        } else if is_block(text) {
            block(text, self.indent + 2, self.out);
            return Ok(());
        } else {
            quote(text, self.out);
        }
        self.out.push(b'\n');
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), EmitError> {
        Err(EmitError("bytes have no form in a manifest".to_owned()))
    }
    fn serialize_none(self) -> Result<(), EmitError> {
        self.scalar(b"null")
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EmitError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), EmitError> {
        self.scalar(b"null")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EmitError> {
        self.scalar(b"null")
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), EmitError> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), EmitError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), EmitError> {
        Err(EmitError(format!("variant `{variant}` has no form in a manifest")))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Entries<'o>, EmitError> {
        self.no_name()?;
        let column = self.list_column();
        Ok(Entries { out: self.out, column, after: self.after, empty: b"[]", any: false })
    }
    fn serialize_tuple(self, _: usize) -> Result<Entries<'o>, EmitError> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Entries<'o>, EmitError> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, EmitError> {
        Err(EmitError(format!("variant `{variant}` has no form in a manifest")))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'o>, EmitError> {
        self.no_name()?;
        let column = self.map_column();
        Ok(Entries { out: self.out, column, after: self.after, empty: b"{}", any: false })
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'o>, EmitError> {
        self.serialize_map(None)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, EmitError> {
        Err(EmitError(format!("variant `{variant}` has no form in a manifest")))
    }
}

/// Writes the key of a map.
fn name(key: &str, out: &mut Vec<u8>) -> Result<(), EmitError> {
    let start = out.len();
    one_line(key, out);
    if out.len() - start > MAX_KEY {
        return Err(EmitError(format!("a key is longer than {MAX_KEY} bytes as it is written")));
    }
    out.push(b':');
    Ok(())
}

/// A map or list that is being written.
struct Entries<'o> {
    out: &'o mut Vec<u8>,
    column: usize,
    after: After,
    empty: &'static [u8],
    any: bool,
}

impl Entries<'_> {
    /// Goes to where the next entry begins.
    fn begin(&mut self) {
        let first = !std::mem::replace(&mut self.any, true);
        if first && self.after == After::Key {
            self.out.push(b'\n');
        }
        // The first entry behind a dash stands on the dash's line.
        if !first || self.after == After::Key {
            indent(self.column, self.out);
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.begin();
        self.out.extend_from_slice(b"- ");
        value.serialize(Emitter { out: self.out, indent: self.column, after: After::Dash })
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EmitError> {
        self.begin();
        key.serialize(Emitter { out: self.out, indent: self.column, after: After::Name })
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        value.serialize(Emitter { out: self.out, indent: self.column, after: After::Key })
    }

    fn finish(self) -> Result<(), EmitError> {
        if self.any {
            return Ok(());
        }
        if self.after == After::Key {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(self.empty);
        self.out.push(b'\n');
        Ok(())
    }
}

impl ser::SerializeSeq for Entries<'_> {
    type Ok = ();
    type Error = EmitError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.item(value)
    }
    fn end(self) -> Result<(), EmitError> {
        self.finish()
    }
}

impl ser::SerializeTuple for Entries<'_> {
    type Ok = ();
    type Error = EmitError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.item(value)
    }
    fn end(self) -> Result<(), EmitError> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Entries<'_> {
    type Ok = ();
    type Error = EmitError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.item(value)
    }
    fn end(self) -> Result<(), EmitError> {
        self.finish()
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = EmitError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EmitError> {
        self.key(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.value(value)
    }
    fn end(self) -> Result<(), EmitError> {
        self.finish()
    }
}

impl ser::SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = EmitError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), EmitError> {
        // Fields of a type are named by identifiers: of those, only short ones can be words with another meaning.
        if key.len() > plain::LONGEST_WORD {
            self.begin();
            self.out.extend_from_slice(key.as_bytes());
            self.out.push(b':');
        } else {
            self.key(key)?;
        }
        self.value(value)
    }
    fn end(self) -> Result<(), EmitError> {
        self.finish()
    }
}
