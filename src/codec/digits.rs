//! Numbers as they are printed, two digits at a time, without an allocation; and bytes in hexadecimal.

/// Digits of the largest number.
const DIGITS_MAX: usize = 20;

/// Bytes as lower-case hexadecimal digits, two for each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digits of one number, at the end of their array.
pub(crate) struct Digits {
    text: [u8; DIGITS_MAX],
    start: usize,
}

impl Digits {
    /// The digits of `number`.
    pub(crate) fn of(mut number: u64) -> Digits {
        let mut text = [b'0'; DIGITS_MAX];
        let mut start = DIGITS_MAX;
        while number >= 10 {
            let pair = (number % 100) as u8;
            number /= 100;
            start -= 2;
            if let Some(place) = text.get_mut(start..start + 2) {
                place.copy_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
            }
        }
        if number > 0 || start == DIGITS_MAX {
            start -= 1;
            if let Some(place) = text.get_mut(start) {
                *place = b'0' + number as u8;
            }
        }
        Digits { text, start }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_rust_prints_them() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let near = powers.flat_map(|power| [power - 1, power, power + 1, power / 2]);
        for number in near.chain([u64::MAX, u64::MAX - 1]) {
            assert_eq!(Digits::of(number).as_bytes(), number.to_string().as_bytes());
        }
    }
}
