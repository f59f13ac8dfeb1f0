//! What drafts beside their targets are called. Several processes may make the same file at once, each
//! under a number of its own.

use std::path::Path;
use std::path::PathBuf;

use super::PART;

/// Bytes of a target's name that a draft's name has at the most, beside dots, a number and `.part`.
const DRAFT_STEM_BYTES: usize = 255 - ".".len() - ".18446744073709551615".len() - PART.len();

/// Where a file is made that the writer's emptying of `tmp/` must not meet, or that lies in a
/// folder of the user's: `inbox/.name.17.part` for `inbox/name`. Several processes may make the
/// same file at once, each under a number of its own. Of a long name the beginning stands there: file
/// systems allow 255 bytes.
pub(crate) fn draft_beside(target: &Path, number: u64) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let cut = (0..=DRAFT_STEM_BYTES).rev().find_map(|len| name.get(..len));
    let name = cut.unwrap_or(&name);
    target.with_file_name(format!(".{name}.{number}{PART}"))
}

/// Whether a file beside `target` was to become it, by the name that [`draft_beside`] gives.
pub(crate) fn is_draft_beside(target: &Path, name: &str) -> bool {
    let number = name
        .strip_suffix(PART)
        .and_then(|name| name.rsplit_once('.')?.1.parse().ok());
    let draft = number.map(|number| draft_beside(target, number));
    draft.is_some_and(|draft| draft.file_name() == Some(name.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(path: &Path) -> &str {
        path.file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
    }

    #[test]
    fn a_draft_lies_beside_its_target() {
        assert_eq!(
            draft_beside(Path::new("inbox/a.json"), 17),
            Path::new("inbox/.a.json.17.part")
        );
    }

    #[test]
    fn a_draft_beside_its_target_is_told_from_all_else_there() {
        let target = Path::new("folder/a.json");
        for number in [0, 17, u64::MAX] {
            let draft = draft_beside(target, number);
            assert!(is_draft_beside(target, name_of(&draft)), "{draft:?}");
        }
        for name in [
            "a.json",
            ".a.json.part",
            ".a.json.017.part",
            ".b.json.17.part",
            "a.json.17.part",
            ".a.json.17",
        ] {
            assert!(!is_draft_beside(target, name), "{name}");
        }
    }

    /// What happened: a name of 237 bytes was refused for its draft's name, which was too long.
    #[test]
    fn a_draft_of_the_longest_name_has_a_name_too() {
        for name in ["x".repeat(255), "é".repeat(127)] {
            let draft = draft_beside(Path::new(&name), u64::MAX);
            assert!((253..=255).contains(&name_of(&draft).len()), "{draft:?}");
            assert!(is_draft_beside(Path::new(&name), name_of(&draft)));
        }
    }
}
