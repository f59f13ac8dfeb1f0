//! How `append --change` says what an attribute was and is.

/// `name=old:new`, where `\` takes the next character literally.
pub(super) fn split_change(text: &str) -> Option<(String, String, String)> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let splits =
            (character == '=' && parts.len() == 1) || (character == ':' && parts.len() == 2);
        if splits {
            parts.push(String::new());
        } else {
            let character = match character {
                '\\' => characters.next()?,
                character => character,
            };
            parts.last_mut()?.push(character);
        }
    }
    let [name, before, after]: [String; 3] = parts.try_into().ok()?;
    Some((name, before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_split_at_the_first_signs_that_are_not_escaped() {
        let split = |text| split_change(text).map(|(a, b, c)| [a, b, c].join("|"));
        for (text, parts) in [
            ("name=old:new", Some("name|old|new")),
            ("name=:new", Some("name||new")),
            ("name=old:", Some("name|old|")),
            ("a\\=b=c\\:d:e:f=g", Some("a=b|c:d|e:f=g")),
            ("name=old", None),
            ("name", None),
            ("name=a:b\\", None),
        ] {
            assert_eq!(split(text).as_deref(), parts, "{text}");
        }
    }
}
