//! The words of the realistic profile and the few ways in which names are written from numbers.
//! Every text is a function of a number, so that a subject looks the same in each of its events
//! while nothing is kept per subject.

use super::random::mix;

pub(super) const FIRST: [&str; 40] = [
    "Ada", "Amara", "Anton", "Beatriz", "Bo", "Chloé", "Daria", "Dmitri", "Eleni", "Emeka",
    "Farid", "Femi", "Greta", "Hana", "Hugo", "Ines", "Ivo", "Jamal", "Jørgen", "Kaia", "Kofi",
    "Lena", "Łukasz", "Mai", "Marta", "Mei", "Nadia", "Nils", "Noor", "Olga", "Omar", "Pia",
    "Quinn", "Rosa", "Sven", "Tariq", "Uma", "Viktor", "Yuki", "Zoë",
];
pub(super) const LAST: [&str; 40] = [
    "Abe", "Adeyemi", "Becker", "Costa", "Dubois", "Egede", "Farah", "Ferrari", "García", "Haddad",
    "Holm", "Ito", "Ivanova", "Jansen", "Kaya", "Keita", "Kim", "Kovač", "Lang", "Li", "Lopes",
    "Mbeki", "Moreau", "Nagy", "Ncube", "Novák", "Okafor", "Olsen", "Papas", "Quist", "Rao",
    "Rossi", "Sato", "Silva", "Tan", "Toth", "Ueda", "Vega", "Wolf", "Yilmaz",
];
pub(super) const PLACES: [&str; 16] = [
    "Accra", "Bergen", "Bogotá", "Cork", "Dakar", "Essen", "Fukuoka", "Graz", "Hanoi", "Izmir",
    "Jaipur", "Kraków", "Lyon", "Malmö", "Oslo", "Porto",
];
pub(super) const DUTIES: [&str; 12] = [
    "Approver", "Auditor", "Author", "Billing", "Editor", "Finance", "Manager", "Operator",
    "Owner", "Reader", "Reviewer", "Support",
];
pub(super) const SOURCES: [&str; 8] = [
    "web", "api", "mobile", "sso", "scim", "admin", "worker", "cli",
];
pub(super) const REGIONS: [&str; 6] = [
    "eu-west", "eu-north", "us-east", "us-west", "ap-south", "sa-east",
];
pub(super) const PLANS: [&str; 4] = ["free", "team", "business", "enterprise"];
pub(super) const CHANNELS: [&str; 5] = ["ui", "bulk", "import", "schedule", "support"];
pub(super) const METHODS: [&str; 4] = ["password", "sso", "passkey", "token"];
pub(super) const CLIENTS: [&str; 5] = ["browser", "desktop", "ios", "android", "service"];
pub(super) const COUNTRIES: [&str; 12] = [
    "AU", "BR", "CA", "DE", "FR", "GB", "IN", "JP", "NO", "PL", "US", "ZA",
];
pub(super) const FORMATS: [&str; 4] = ["csv", "json", "pdf", "xlsx"];
pub(super) const REASONS: [&str; 6] = [
    "bad_password",
    "ip_not_authorized",
    "expired",
    "rate_limited",
    "not_permitted",
    "conflict",
];

const BASE_32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE_16: &[u8; 16] = b"0123456789abcdef";

/// Appends the lowest `digits` × 5 bits in Crockford's base 32, as ULIDs are written.
pub(super) fn put_base_32(out: &mut String, bits: u128, digits: u32) {
    for place in (0..digits).rev() {
        let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or(0);
        out.push(char::from(BASE_32.get(digit).copied().unwrap_or(b'0')));
    }
}

/// Appends the lowest `digits` × 4 bits in hexadecimal.
pub(super) fn put_hex(out: &mut String, bits: u128, digits: u32) {
    for place in (0..digits).rev() {
        let digit = usize::try_from(bits >> (4 * place) & 15).unwrap_or(0);
        out.push(char::from(BASE_16.get(digit).copied().unwrap_or(b'0')));
    }
}

/// Appends a number in decimal.
pub(super) fn put_number(out: &mut String, number: u64) {
    if number >= 10 {
        put_number(out, number / 10);
    }
    out.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

/// `prefix` and ten letters of base 32 that only `number` decides.
pub(super) fn name(prefix: &str, number: u64) -> String {
    let mut out = String::with_capacity(prefix.len() + 10);
    out.push_str(prefix);
    put_base_32(&mut out, u128::from(mix(number)), 10);
    out
}

/// The entry of `list` that `number` decides.
pub(super) fn entry(list: &'static [&'static str], number: u64) -> &'static str {
    let len = u64::try_from(list.len().max(1)).unwrap_or(1);
    let at = usize::try_from(number % len).unwrap_or(0);
    list.get(at).copied().unwrap_or_default()
}

/// A person's name.
pub(super) fn person(number: u64) -> String {
    let bits = mix(number ^ 0x7065_7273);
    [
        entry(&FIRST, bits >> 32),
        " ",
        entry(&LAST, bits & 0xffff_ffff),
    ]
    .concat()
}
