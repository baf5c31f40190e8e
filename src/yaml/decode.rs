//! From nodes to the types of the contract, keeping places.
//!
//! [`crate::yaml::shape`] has compared the document with its schema before, and has reported every difference; what is
//! left to fail here is a slip between a type and its schema, which the tests look for.

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{Node, Value};
use crate::contract::values::{AMOUNT, AT};
use crate::place::Span;

/// The value of type `T` that `node` holds, or what does not fit and where.
pub fn decode<T: for<'de> Deserialize<'de>>(node: &Node<'_>) -> Result<T, Mismatch> {
    T::deserialize(Decoder { node })
}

/// A value that does not fit its type.
#[derive(Debug)]
pub struct Mismatch {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Mismatch { span: Span::default(), message: message.to_string() }
    }
}

impl Mismatch {
    /// Keeps the innermost place.
    fn at(mut self, span: Span) -> Self {
        if self.span == Span::default() {
            self.span = span;
        }
        self
    }
}

struct Decoder<'n, 'a> {
    node: &'n Node<'a>,
}

impl<'n> Decoder<'n, '_> {
    fn scalar(&self) -> Result<&'n str, Mismatch> {
        let wrong = || Mismatch { span: self.node.span, message: "expected a single value".to_owned() };
        match &self.node.value {
            Value::Scalar { text, .. } => Ok(text),
            Value::List(_) | Value::Map(_) => Err(wrong()),
        }
    }

    fn parsed<T: std::str::FromStr>(&self) -> Result<T, Mismatch> {
        let text = self.scalar()?;
        text.parse().map_err(|_| Mismatch { span: self.node.span, message: format!("`{text}` does not fit") })
    }
}

impl<'de> Deserializer<'de> for Decoder<'_, '_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let at = self.node.span;
        match &self.node.value {
            Value::Scalar { text, .. } => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(List(items.iter())),
            Value::Map(entries) => visitor.visit_map(Map { entries: entries.iter(), value: None }),
        }
        .map_err(|e| e.at(at))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_bool(self.parsed()?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_u16(self.parsed()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_u32(self.parsed()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        if name == AMOUNT { visitor.visit_str(self.scalar()?) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        if name != AT {
            return self.deserialize_any(visitor);
        }
        let Span { line, column, start, end } = self.node.span;
        visitor.visit_seq(Placed { numbers: [line, column, start, end].into_iter(), node: Some(self.node) })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let at = self.node.span;
        visitor.visit_enum(Word(self.scalar()?)).map_err(|e| e.at(at))
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple map struct identifier ignored_any
    }
}

/// An [`crate::contract::At`]: four numbers and the value.
struct Placed<'n, 'a> {
    numbers: std::array::IntoIter<u32, 4>,
    node: Option<&'n Node<'a>>,
}

impl<'de> SeqAccess<'de> for Placed<'_, '_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        if let Some(number) = self.numbers.next() {
            return seed.deserialize(number.into_deserializer()).map(Some);
        }
        self.node.take().map(|node| seed.deserialize(Decoder { node })).transpose()
    }
}

struct List<'n, 'a>(std::slice::Iter<'n, Node<'a>>);

impl<'de> SeqAccess<'de> for List<'_, '_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        self.0.next().map(|node| seed.deserialize(Decoder { node })).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Map<'n, 'a> {
    entries: std::slice::Iter<'n, (Node<'a>, Node<'a>)>,
    value: Option<&'n Node<'a>>,
}

impl<'de> MapAccess<'de> for Map<'_, '_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Decoder { node: key }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let node = self.value.take().ok_or_else(|| serde::de::Error::custom("a value without a key"))?;
        seed.deserialize(Decoder { node })
    }
}

/// A variant without content.
struct Word<'n>(&'n str);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Mismatch;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Mismatch> {
        let name: StrDeserializer<'_, Mismatch> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, Mismatch> {
        Err(serde::de::Error::custom("expected a word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Mismatch> {
        Err(serde::de::Error::custom("expected a word"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _f: &'static [&'static str], _visitor: V) -> Result<V::Value, Mismatch> {
        Err(serde::de::Error::custom("expected a word"))
    }
}
