//! What a spreadsheet program makes of a text when it opens a CSV file: it takes what looks like a
//! number, a date or a truth value for one, and shows something else from then on. `007` becomes 7,
//! `3-4` a day in April, and twenty digits lose the last five.

/// The words that it takes for truth values, in the languages that it is commonly used in.
const TRUTHS: [&str; 17] = [
    "true",
    "false",
    "wahr",
    "falsch",
    "vrai",
    "faux",
    "verdadero",
    "falso",
    "verdadeiro",
    "vero",
    "waar",
    "onwaar",
    "prawda",
    "fałsz",
    "истина",
    "ложь",
    "sann",
];

/// How names of months begin, in the same languages.
const MONTHS: [&str; 45] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mär",
    "mai", "okt", "dez", "fév", "avr", "jui", "aoû", "déc", "ene", "abr", "ago", "dic", "fev",
    "set", "out", "gen", "mag", "giu", "lug", "ott", "mrt", "mei", "sty", "lut", "kwi", "maj",
    "cze", "lip", "sie", "wrz", "paź", "gru",
];

/// Letters of a month's name at the most.
const MONTH_LETTERS: usize = 12;

/// Digits of a number that is kept exactly.
const DIGITS: usize = 15;

/// Whether a spreadsheet program would show something else than the text. Sees more in it than most
/// programs do, since what is guarded without need can be undone, and what was lost cannot.
pub(super) fn changes(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if text.starts_with('#') || TRUTHS.contains(&text.to_lowercase().as_str()) {
        return true;
    }
    if digits && text.len() <= DIGITS && (text.len() == 1 || !text.starts_with('0')) {
        return false;
    }
    let written = |letter: char| {
        letter.is_numeric() || letter.is_whitespace() || ".,:/-+()%'$€£¥₹".contains(letter)
    };
    let mut words = text.split(|letter: char| !letter.is_alphabetic());
    text.chars().any(char::is_numeric)
        && text
            .chars()
            .all(|letter| letter.is_alphabetic() || written(letter))
        && words.all(|word| word.is_empty() || is_of_a_date(word))
}

/// Whether a word stands in numbers, times and dates.
fn is_of_a_date(word: &str) -> bool {
    let word = word.to_lowercase();
    let month = word.chars().count() <= MONTH_LETTERS;
    matches!(word.as_str(), "e" | "a" | "p" | "am" | "pm")
        || month && MONTHS.iter().any(|name| word.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_shown_otherwise_is_seen() {
        for text in [
            "007",
            "00",
            "1234567890123456",
            "1.50",
            "1e5",
            "497E6",
            "3-4",
            "1/2",
            "MAR1",
            "Sept 2",
            "5. März",
            "2026-05-17",
            "12:30",
            "11 PM",
            "10.0.0.1",
            "203.0.113.45",
            "$5",
            "(12)",
            "5 %",
            "TRUE",
            "falsch",
            "#N/A",
            " 007 ",
            "１２",
        ] {
            assert!(changes(text), "{text}");
        }
        for text in [
            "",
            "0",
            "7",
            "123456789012345",
            "u7",
            "usr_01HZX",
            "3rd floor",
            "12 apples",
            "2026-05-17T08:00:00.000000Z",
            "2026-05-17T08:00:00.000000+02:00",
            "evt_01KRTF5Z",
            "497f6eca-6276-4993-bfeb-53cbbbba6f08",
            "{\"a\":1}",
            "[1,2]",
            "null",
            "March",
            "trueish",
        ] {
            assert!(!changes(text), "{text}");
        }
    }
}
