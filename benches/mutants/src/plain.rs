//! Plain answers: what a function could say without doing its work, by the type that it returns.

use syn::GenericArgument;
use syn::PathArguments;
use syn::ReturnType;
use syn::Type;

/// The answers as texts; none where no plain one can be told from the type's name.
pub fn values(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec!["()".to_owned()],
        ReturnType::Type(_, answer) => of(answer),
    }
}

fn of(answer: &Type) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match answer {
        Type::Tuple(parts) => {
            let parts: Option<Vec<String>> = parts
                .elems
                .iter()
                .map(|part| of(part).into_iter().next())
                .collect();
            let Some(parts) = parts else {
                return Vec::new();
            };
            let comma = if parts.len() == 1 { "," } else { "" };
            vec![format!("({}{comma})", parts.join(", "))]
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(_) if reference.mutability.is_none() => texts(&["&[]"]),
            Type::Path(path) if path.path.is_ident("str") => texts(&["\"\""]),
            _ => Vec::new(),
        },
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Vec::new();
            };
            let inner = inner(&last.arguments);
            let inner = |head: &str| -> Vec<String> {
                let inner = inner.map(of).unwrap_or_default();
                inner
                    .iter()
                    .map(|value| format!("{head}({value})"))
                    .collect()
            };
            match &*last.ident.to_string() {
                "bool" => texts(&["true", "false"]),
                "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64"
                | "i128" | "isize" => texts(&["0", "1"]),
                "f32" | "f64" => texts(&["0.0", "1.0"]),
                "String" => texts(&["String::new()"]),
                "Vec" => texts(&["Vec::new()"]),
                "Option" => [texts(&["None"]), inner("Some")].concat(),
                "Result" => inner("Ok"),
                "Box" | "Arc" | "Rc" | "Mutex" => inner(&format!("{}::new", last.ident)),
                _ => texts(&["Default::default()"]),
            }
        }
        Type::Array(_) => texts(&["Default::default()"]),
        _ => Vec::new(),
    }
}

/// The first type among the arguments of a generic one.
fn inner(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_answers_follow_from_the_type() {
        for (output, wanted) in [
            ("", &["()"][..]),
            ("-> bool", &["true", "false"]),
            ("-> Result<()>", &["Ok(())"]),
            (
                "-> io::Result<Option<u8>>",
                &["Ok(None)", "Ok(Some(0))", "Ok(Some(1))"],
            ),
            ("-> &[u8]", &["&[]"]),
            (
                "-> Option<(u8, Vec<u8>)>",
                &["None", "Some((0, Vec::new()))"],
            ),
            ("-> Self", &["Default::default()"]),
            ("-> &mut Self", &[]),
            ("-> impl Iterator<Item = u8>", &[]),
            ("-> !", &[]),
        ] {
            let output = syn::parse_str(output).expect("a type");
            assert_eq!(values(&output), wanted);
        }
    }
}
