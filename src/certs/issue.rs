//! `issue`: an authority, and the one certificate that it ever signs.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::secret::Private;
use super::x509::{Certificate, hex};

/// For how many days certificates may hold. Less than the shortest leaves no time between the first warning
/// ([`super::due::WARN`]) and the last day; browsers and auditors refuse more than the longest.
pub const DAYS: std::ops::RangeInclusive<u32> = 120..=825;

/// What is wanted.
pub struct Order<'a> {
    /// The names of the server, exactly these.
    pub names: &'a [String],
    /// From when on; an hour earlier, because clocks differ.
    pub now: OffsetDateTime,
    /// For how many days, within [`DAYS`].
    pub days: u32,
    /// The key of the authority, which is forgotten after this.
    pub authority: KeyPair,
    /// The key of the server.
    pub server: KeyPair,
    /// Random bytes: the serial numbers.
    pub serials: [[u8; 16]; 2],
}

/// What was issued.
pub struct Issued {
    /// The authority: whom the API server is to trust.
    pub authority: Certificate,
    /// The server's certificate.
    pub server: Certificate,
    /// The server's key, as PEM of PKCS #8.
    pub key: Private,
}

/// Issues both.
pub fn issue(order: Order<'_>) -> Result<Issued, String> {
    let wrong = |error: rcgen::Error| format!("cannot issue a certificate: {error}");
    let mut authority = CertificateParams::new(Vec::new()).map_err(wrong)?;
    dated(&mut authority, &order, 0);
    // API servers find an authority by its name: each has one of its own.
    let name = format!("k8s-mtp webhook authority {}", &hex(&order.serials[0])[..8]);
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];

    let mut server = CertificateParams::new(order.names).map_err(wrong)?;
    dated(&mut server, &order, 1);
    let name = order.names.iter().find(|name| name.ends_with(".svc")).map_or("webhook", String::as_str);
    // A common name holds 64 characters; nothing reads it where there are alternative names.
    server.distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    server.is_ca = IsCa::ExplicitNoCa;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;

    let signed = authority.self_signed(&order.authority).map_err(wrong)?;
    let issuer = Issuer::new(authority, order.authority);
    let certificate = server.signed_by(&order.server, &issuer).map_err(wrong)?;
    Ok(Issued {
        authority: Certificate::from_der(signed.der())?,
        server: Certificate::from_der(certificate.der())?,
        key: Private::new(order.server.serialize_pem().into_bytes()),
    })
}

fn dated(params: &mut CertificateParams, order: &Order<'_>, which: usize) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = order.now - Duration::HOUR;
    params.not_after = order.now + Duration::days(order.days.into());
    let mut serial = order.serials[which];
    // A serial number is positive, and not zero.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
}
