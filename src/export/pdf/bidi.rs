//! The visual order of one line, after the implicit part of Unicode's bidirectional algorithm (UAX
//! #9, rules W1 to L2). The explicit part is for characters that turn the reading direction, and
//! those are written out as escapes before a text comes here. Pairs of brackets are neutrals like
//! all others. Classes are taken by block, which is exact for the scripts in common use.

use core::ops::Range;

/// A character's part in the order of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Left,
    Right,
    Arabic,
    European,
    ArabicNumber,
    Sign,
    Terminator,
    Separator,
    Mark,
    Neutral,
}

/// A stretch of a line that is read in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) range: Range<usize>,
    pub(super) right_to_left: bool,
}

/// Whether the text is one of a script that is read from right to left, by its first letter.
pub(super) fn is_right_to_left(text: &str) -> bool {
    let strong = text.chars().map(class).find(|class| {
        let strong = [Class::Left, Class::Right, Class::Arabic];
        strong.contains(class)
    });
    matches!(strong, Some(Class::Right | Class::Arabic))
}

/// Whether there is anything to be put in order.
pub(super) fn has_right_to_left(text: &str) -> bool {
    // Nothing before the Hebrew block.
    let may = text.bytes().any(|byte| byte >= 0xd6);
    may && text.chars().any(|letter| {
        let turning = [Class::Right, Class::Arabic, Class::ArabicNumber];
        turning.contains(&class(letter))
    })
}

/// The stretches of a line from left to right, in a paragraph of this direction.
pub(super) fn visual(line: &str, right_to_left: bool) -> Vec<Stretch> {
    if !right_to_left && !has_right_to_left(line) {
        return vec![Stretch {
            range: 0..line.len(),
            right_to_left,
        }];
    }
    let base = u8::from(right_to_left);
    let mut levels = levels(line, base);
    // What is blank at the line's end stands where the paragraph ends (L1).
    let blank = line
        .chars()
        .rev()
        .take_while(|letter| *letter == ' ')
        .count();
    let solid = levels.len() - blank;
    levels
        .iter_mut()
        .skip(solid)
        .for_each(|level| *level = base);
    let mut runs: Vec<(Range<usize>, u8)> = Vec::new();
    for ((at, letter), level) in line.char_indices().zip(levels) {
        let end = at + letter.len_utf8();
        match runs.last_mut() {
            Some((range, last)) if *last == level => range.end = end,
            _ => runs.push((at..end, level)),
        }
    }
    reorder(&mut runs);
    let stretch = |(range, level): (Range<usize>, u8)| Stretch {
        range,
        right_to_left: level % 2 == 1,
    };
    runs.into_iter().map(stretch).collect()
}

/// Turns round every stretch of runs at each level or above, from the highest down (L2).
fn reorder(runs: &mut [(Range<usize>, u8)]) {
    let highest = runs.iter().map(|(_, level)| *level).max().unwrap_or(0);
    for turned in (1..=highest).rev() {
        runs.chunk_by_mut(|(_, a), (_, b)| (*a >= turned) == (*b >= turned))
            .filter(|chunk| chunk.first().is_some_and(|(_, level)| *level >= turned))
            .for_each(<[_]>::reverse);
    }
}

/// The level of each character: even from left to right, odd from right to left.
fn levels(line: &str, base: u8) -> Vec<u8> {
    let mut classes: Vec<Class> = line.chars().map(class).collect();
    weak(&mut classes, base);
    neutral(&mut classes, base);
    let level = |class: &Class| match class {
        Class::Right if base.is_multiple_of(2) => base + 1,
        Class::European | Class::ArabicNumber => (base + 2) & !1,
        Class::Left if base % 2 == 1 => base + 1,
        _ => base,
    };
    classes.iter().map(level).collect()
}

/// Numbers and what belongs to them (W1 to W7).
fn weak(classes: &mut [Class], base: u8) {
    let start = if base % 2 == 1 {
        Class::Right
    } else {
        Class::Left
    };
    let mut last = start;
    for class in classes.iter_mut() {
        if *class == Class::Mark {
            *class = last;
        }
        last = *class;
    }
    let mut strong = start;
    for class in classes.iter_mut() {
        match *class {
            Class::Left | Class::Right | Class::Arabic => strong = *class,
            Class::European if strong == Class::Arabic => *class = Class::ArabicNumber,
            _ => {}
        }
    }
    for class in classes.iter_mut().filter(|class| **class == Class::Arabic) {
        *class = Class::Right;
    }
    for middle in 1..classes.len().saturating_sub(1) {
        let window = classes.get_mut(middle - 1..=middle + 1);
        let Some([before, between, behind]) = window else {
            continue;
        };
        let joins = match *between {
            Class::Separator => matches!(before, Class::European | Class::ArabicNumber),
            Class::Sign => *before == Class::European,
            _ => false,
        };
        if joins && before == behind {
            *between = *before;
        }
    }
    for chunk in classes.chunk_by_mut(|a, b| is_of_number(*a) && is_of_number(*b)) {
        let class = match chunk.contains(&Class::European) {
            true => Class::European,
            false => Class::Neutral,
        };
        let terminators = chunk
            .iter_mut()
            .filter(|class| **class == Class::Terminator);
        terminators.for_each(|terminator| *terminator = class);
    }
    let mut strong = start;
    for class in classes.iter_mut() {
        match *class {
            Class::Left | Class::Right => strong = *class,
            Class::European if strong == Class::Left => *class = Class::Left,
            Class::Sign | Class::Separator => *class = Class::Neutral,
            _ => {}
        }
    }
}

fn is_of_number(class: Class) -> bool {
    matches!(class, Class::European | Class::Terminator)
}

/// What is neither: as what stands on both sides, or as the paragraph (N1, N2).
fn neutral(classes: &mut [Class], base: u8) {
    let paragraph = if base % 2 == 1 {
        Class::Right
    } else {
        Class::Left
    };
    let side = |class: Class| match class {
        Class::Left => Class::Left,
        _ => Class::Right,
    };
    let mut at = 0;
    let mut before = paragraph;
    while let Some(class) = classes.get(at).copied() {
        if class != Class::Neutral {
            before = side(class);
            at += 1;
            continue;
        }
        let rest = classes.get(at..).unwrap_or_default();
        let count = rest
            .iter()
            .take_while(|class| **class == Class::Neutral)
            .count();
        let behind = rest.get(count).map_or(paragraph, |class| side(*class));
        let becomes = if before == behind { before } else { paragraph };
        classes
            .iter_mut()
            .skip(at)
            .take(count)
            .for_each(|class| *class = becomes);
        at += count;
    }
}

fn class(letter: char) -> Class {
    match letter {
        '0'..='9'
        | '\u{b2}'
        | '\u{b3}'
        | '\u{b9}'
        | '\u{6f0}'..='\u{6f9}'
        | '\u{2070}'..='\u{2079}'
        | '\u{2080}'..='\u{2089}' => Class::European,
        '+' | '-' | '\u{2212}' | '\u{207a}' | '\u{207b}' => Class::Sign,
        ',' | '.' | '/' | ':' | '\u{a0}' | '\u{60c}' | '\u{202f}' | '\u{2044}' => Class::Separator,
        '#'
        | '$'
        | '%'
        | '\u{a2}'..='\u{a5}'
        | '\u{b0}'
        | '\u{b1}'
        | '\u{66a}'
        | '\u{2030}'..='\u{2034}'
        | '\u{20a0}'..='\u{20cf}' => Class::Terminator,
        'A'..='Z' | 'a'..='z' => Class::Left,
        '\0'..='\u{7f}' => Class::Neutral,
        '\u{600}'..='\u{605}' | '\u{660}'..='\u{669}' | '\u{66b}' | '\u{66c}' | '\u{6dd}' => {
            Class::ArabicNumber
        }
        _ if is_mark(letter) => Class::Mark,
        '\u{590}'..='\u{5ff}'
        | '\u{7c0}'..='\u{85f}'
        | '\u{fb1d}'..='\u{fb4f}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1edff}'
        | '\u{1ef00}'..='\u{1efff}' => Class::Right,
        '\u{606}'..='\u{607}' | '\u{60e}'..='\u{60f}' | '\u{6de}' | '\u{6e9}' => Class::Neutral,
        '\u{600}'..='\u{7bf}'
        | '\u{860}'..='\u{8ff}'
        | '\u{fb50}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fdff}'
        | '\u{fe70}'..='\u{feff}'
        | '\u{1ee00}'..='\u{1eeff}' => Class::Arabic,
        _ if letter.is_alphabetic() => Class::Left,
        _ => Class::Neutral,
    }
}

/// Whether a character stands on the one before it and has no room of its own.
pub(super) fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'
        | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{711}' | '\u{730}'..='\u{74a}'
        | '\u{7a6}'..='\u{7b0}' | '\u{7eb}'..='\u{7f3}' | '\u{8ca}'..='\u{8ff}'
        | '\u{93a}'..='\u{93c}' | '\u{93e}'..='\u{94f}' | '\u{951}'..='\u{957}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{302a}'..='\u{302f}' | '\u{3099}'..='\u{309a}' | '\u{fb1e}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line as eyes see it: stretches from left to right, those read from the right turned round.
    fn seen(line: &str, right_to_left: bool) -> String {
        let turn = |stretch: Stretch| {
            let text = line.get(stretch.range).unwrap_or_default();
            match stretch.right_to_left {
                true => text.chars().rev().collect::<String>(),
                false => text.to_owned(),
            }
        };
        visual(line, right_to_left).into_iter().map(turn).collect()
    }

    #[test]
    fn lines_are_put_in_the_order_of_the_standard() {
        for (line, right_to_left, wanted) in [
            ("plain text", false, "plain text"),
            ("plain text", true, "plain text"),
            ("car is אבג.", false, "car is גבא."),
            ("car is אבג.", true, ".גבא car is"),
            ("אבג 123 דהו", false, "והד 123 גבא"),
            ("אבג 123 דהו", true, "והד 123 גבא"),
            ("سنة 2026", true, "2026 ةنس"),
            ("אב 10.5% גד", true, "דג 10.5% בא"),
            ("a אב-גד b", false, "a דג-בא b"),
            ("id אב 7", true, "7 בא id"),
            ("אב", false, "בא"),
            ("", true, ""),
        ] {
            assert_eq!(seen(line, right_to_left), wanted, "{line}");
        }
        assert!(is_right_to_left("12 אב a"));
        assert!(!is_right_to_left("12 a אב"));
        assert!(!is_right_to_left("12"));
    }

    proptest::proptest! {
        #[test]
        fn every_character_has_one_place(line in "[a-c0-2 .,%+אבعم٣\u{5b0}()]{0,24}", right: bool) {
            let mut bytes: Vec<usize> =
                visual(&line, right).into_iter().flat_map(|stretch| stretch.range).collect();
            bytes.sort_unstable();
            proptest::prop_assert_eq!(bytes, (0..line.len()).collect::<Vec<_>>());
        }
    }
}
