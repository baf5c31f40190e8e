//! Quantities: exact values of `500m`, `2Gi`, `1e3`, and the form in which the API server stores them.
//!
//! Rendered in that form, so that what is in git is what a cluster shows, however the author spelt it.
//! Source: <https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity>

use std::cmp::Ordering;
use std::fmt;

/// A quantity that is not negative. Compares by value: `1000m` equals `1`.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// In thousand-millionths; the API server keeps no more digits and rounds up.
    nanos: i128,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

const NANOS: i128 = 1_000_000_000;

/// The largest value that the API server keeps; larger ones it would cap in silence.
const MAX: i128 = i64::MAX as i128 * NANOS;

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoQuantity {
    /// It is not of the form.
    Form,
    /// It is below zero.
    Negative,
    /// It is above what 64 bits hold.
    TooLarge,
}

impl Quantity {
    /// Zero.
    pub const ZERO: Quantity = Quantity { nanos: 0, format: Format::Decimal };

    /// Reads what the API server reads.
    pub fn parse(text: &str) -> Result<Quantity, NoQuantity> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && part.is_empty()) || part.contains('.') || number.len() > 60 {
            return Err(NoQuantity::Form);
        }
        let (format, scale) = suffix_scale(suffix).ok_or(NoQuantity::Form)?;
        if negative && number.bytes().any(|b| matches!(b, b'1'..=b'9')) {
            return Err(NoQuantity::Negative);
        }
        let nanos = exact(whole, part, scale).ok_or(NoQuantity::TooLarge)?;
        if nanos > MAX { Err(NoQuantity::TooLarge) } else { Ok(Quantity { nanos, format }) }
    }

    /// Whether it is a whole number.
    pub fn is_whole(&self) -> bool {
        self.nanos % NANOS == 0
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// Whether it is a whole number of thousandths, the finest CPU that Kubernetes knows.
    pub fn is_milli(&self) -> bool {
        self.nanos % (NANOS / 1000) == 0
    }

    /// Another value, spelt as this one is.
    pub fn with_nanos(self, nanos: i128) -> Quantity {
        Quantity { nanos, ..self }
    }

    /// The value in thousand-millionths.
    pub fn nanos(&self) -> i128 {
        self.nanos
    }
}

/// What a suffix multiplies by, as a power of ten or of two.
#[derive(Clone, Copy)]
enum Scale {
    Ten(i32),
    Two(u32),
}

fn suffix_scale(suffix: &str) -> Option<(Format, Scale)> {
    const DECIMAL: [(&str, i32); 10] =
        [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
    const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
    if let Some((_, power)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Decimal, Scale::Ten(*power)));
    }
    if let Some((_, power)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Binary, Scale::Two(*power)));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((Format::Exponent, Scale::Ten(exponent.parse().ok()?)))
}

/// The value in thousand-millionths, rounded up; `None` where it is far beyond what the API server keeps.
fn exact(whole: &str, part: &str, scale: Scale) -> Option<i128> {
    let part = part.trim_end_matches('0');
    let digits: String = [whole, part].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    if digits.len() > 36 {
        // Beyond any value that fits, unless nearly all of it is fraction: the digits that count stand first.
        let lost = digits.len() - 36;
        let kept: i128 = digits[..36].parse::<i128>().ok()? + 1;
        return scaled(kept, i32::try_from(part.len()).ok()? - i32::try_from(lost).ok()?, scale);
    }
    scaled(digits.parse().ok()?, i32::try_from(part.len()).ok()?, scale)
}

/// `digits` with `places` behind the dot, times the scale, in thousand-millionths.
fn scaled(digits: i128, places: i32, scale: Scale) -> Option<i128> {
    let (digits, power) = match scale {
        Scale::Ten(power) => (digits, power),
        Scale::Two(power) => (digits.checked_mul(1i128 << power)?, 0),
    };
    match power + 9 - places {
        up @ 0.. => digits.checked_mul(10i128.checked_pow(u32::try_from(up).ok()?)?),
        down => match 10i128.checked_pow(u32::try_from(-down).ok()?) {
            Some(divisor) => Some(digits.div_euclid(divisor) + i128::from(digits % divisor != 0)),
            None => Some(1),
        },
    }
}

/// The API server's canonical form: no fraction, the largest suffix that leaves none.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        if self.format == Format::Binary && self.nanos >= 1024 * NANOS {
            const SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
            let mut bytes = self.nanos / NANOS + i128::from(!self.is_whole());
            let mut step = 0;
            while bytes % 1024 == 0 && step < 6 {
                bytes /= 1024;
                step += 1;
            }
            return write!(f, "{bytes}{}", SUFFIXES[step]);
        }
        const SUFFIXES: [(&str, &str); 10] = [
            ("n", "e-9"),
            ("u", "e-6"),
            ("m", "e-3"),
            ("", ""),
            ("k", "e3"),
            ("M", "e6"),
            ("G", "e9"),
            ("T", "e12"),
            ("P", "e15"),
            ("E", "e18"),
        ];
        let (mut value, mut step) = (self.nanos, 0);
        while value % 1000 == 0 && step < 9 {
            value /= 1000;
            step += 1;
        }
        let (suffix, exponent) = SUFFIXES[step];
        write!(f, "{value}{}", if self.format == Format::Exponent { exponent } else { suffix })
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::{NoQuantity, Quantity};

    /// Left what authors type, right what a 1.37 API server stores for it.
    #[test]
    fn canonical_form() {
        for (typed, stored) in [
            ("0", "0"),
            ("0.0", "0"),
            ("1000m", "1"),
            ("0.5", "500m"),
            ("500m", "500m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1024", "1024"),
            ("1000", "1k"),
            ("0.5Ki", "512"),
            ("1023Ki", "1023Ki"),
            ("1e3", "1e3"),
            ("12e2", "1200"),
            ("+2", "2"),
            (".5", "500m"),
            ("5.", "5"),
            ("100Gi", "100Gi"),
            ("1500M", "1500M"),
            ("0.0000000001", "1n"),
            ("8Ei", "TooLarge"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "TooLarge"),
            ("-1", "Negative"),
            ("-0", "0"),
            ("", "Form"),
            ("1 Gi", "Form"),
            ("1gi", "Form"),
            ("1.2.3", "Form"),
            ("1e", "Form"),
            ("0x10", "Form"),
            ("٣", "Form"),
        ] {
            let found = match Quantity::parse(typed) {
                Ok(quantity) => quantity.to_string(),
                Err(why) => format!("{why:?}"),
            };
            assert_eq!(found, stored, "{typed}");
        }
        assert_eq!(Quantity::parse("-"), Err(NoQuantity::Form));
        assert!(Quantity::parse("1000m").unwrap() == Quantity::parse("1").unwrap());
    }
}
