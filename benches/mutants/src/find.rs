//! Finds what can be wrong in a source: every comparison, every operator, every negation, every
//! function that could answer something plain, every arm and guard of a match. Operands stay where
//! they are and are evaluated once; only what is done with them is chosen when the copy runs. What
//! no function does while it runs is left alone: constants, patterns, types, attributes, macros,
//! tests, unsafe code, and the texts of `Display` and `Debug`; how much room is made ahead,
//! and where bugs are planted.

use std::ops::Range;

use syn::BinOp;
use syn::spanned::Spanned;
use syn::visit;
use syn::visit::Visit;

use crate::plain;
use crate::site::Mutant;
use crate::site::Piece;
use crate::site::Site;

/// The places of a source, with numbers from `first` on.
pub fn sites(path: &str, source: &str, first: u32) -> Result<Vec<Site>, syn::Error> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder {
        source,
        next: first,
        sites: Vec::new(),
        function: path.to_owned(),
        owner: None,
    };
    finder.visit_file(&file);
    Ok(finder.sites)
}

/// Whether what has these attributes is not in the copy that is tested, or is a test.
pub fn is_left_out(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
            meta => return meta.path().is_ident("test"),
        };
        let words = |word: &str| {
            text.split(|c: char| !c.is_alphanumeric())
                .any(|w| w == word)
        };
        words("test") || words("not")
    })
}

struct Finder<'a> {
    source: &'a str,
    next: u32,
    sites: Vec<Site>,
    /// The function that is looked at, and what it belongs to.
    function: String,
    owner: Option<String>,
}

impl Finder<'_> {
    fn text(&self, range: Range<usize>) -> &str {
        &self.source[range]
    }

    /// A place where one of `changes`, each with its text, is chosen by number; `right` without any.
    fn choice(
        &mut self,
        range: Range<usize>,
        head: Vec<Piece>,
        changes: Vec<(String, String)>,
        right: Vec<Piece>,
        tail: &str,
    ) {
        let (first, mut pieces) = (self.next, head);
        let end = first + changes.len() as u32;
        pieces.push(text(format!(
            "match crate::mutants::at({first}, {end}) {{ "
        )));
        let mut mutants = Vec::new();
        for (change, wrong) in changes {
            let number = self.next;
            self.next += 1;
            pieces.push(Piece::Mutant(number, format!("{number} => {wrong}, ")));
            mutants.push(Mutant { number, change });
        }
        pieces.push(text("_ => "));
        pieces.extend(right);
        pieces.push(text(tail));
        self.put(range, mutants, pieces);
    }

    /// A place with one mutant; `pieces` asks for it by the text that it is given.
    fn single(&mut self, range: Range<usize>, change: String, pieces: impl Fn(&str) -> Vec<Piece>) {
        let number = self.next;
        self.next += 1;
        let pieces = pieces(&format!("crate::mutants::on({number})"));
        self.put(range, vec![Mutant { number, change }], pieces);
    }

    fn put(&mut self, range: Range<usize>, mutants: Vec<Mutant>, pieces: Vec<Piece>) {
        self.sites.push(Site {
            range,
            function: self.function.clone(),
            mutants,
            pieces,
        });
    }

    fn operator(&mut self, binary: &syn::ExprBinary) {
        let (left, right) = (range(&*binary.left), range(&*binary.right));
        let sign = self.text(range(&binary.op)).to_owned();
        let whole = left.start..right.end;
        if matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) {
            if has_let(&binary.left) || has_let(&binary.right) {
                return;
            }
            let (not, other) = match binary.op {
                BinOp::And(_) => ("", "||"),
                _ => ("!", "&&"),
            };
            self.single(whole, format!("`{sign}` to `{other}`"), |on| {
                vec![
                    text("(if ("),
                    Piece::Source(left.clone()),
                    text(format!(") ^ {not}{on} {{ ")),
                    Piece::Source(right.clone()),
                    text(format!(" }} else {{ {not}{on} }})")),
                ]
            });
            return;
        }
        let Some(others) = others(&sign) else { return };
        // Compound assignments evaluate what they assign first.
        let (by, first, second, names) = match &*sign {
            "==" | "!=" | "<" | ">" | "<=" | ">=" => ("&(", left, right, ["*l", "*r"]),
            _ if sign.ends_with('=') => ("(", right, left, ["*l", "r"]),
            _ => ("(", left, right, ["l", "r"]),
        };
        let is_compound = names == ["*l", "r"];
        let written = |sign: &str| match is_compound {
            true => format!("{{ {} {sign} {}; }}", names[0], names[1]),
            false => format!("{} {sign} {}", names[0], names[1]),
        };
        let head = vec![
            text(format!("(match ({by}")),
            Piece::Source(first),
            text(if is_compound {
                "), &mut (".to_owned()
            } else {
                format!("), {by}")
            }),
            Piece::Source(second),
            text(format!(
                ")) {{ ({}) => ",
                if is_compound { "r, l" } else { "l, r" }
            )),
        ];
        let changes = others
            .iter()
            .map(|other| (format!("`{sign}` to `{other}`"), written(other)));
        let right = vec![text(written(&sign))];
        self.choice(whole, head, changes.collect(), right, " } })");
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let open = range(&block.brace_token.span.open()).end;
        let inside = self.text(open..range(&block.brace_token.span.close()).start);
        let inside = inside.trim().to_owned();
        let values = plain::values(&signature.output);
        let values: Vec<String> = values
            .into_iter()
            .filter(|value| *value != inside)
            .collect();
        if inside.is_empty() || values.is_empty() {
            return;
        }
        let changes = values.into_iter().map(|value| {
            let change = match &*value {
                "()" => "do nothing".to_owned(),
                value => format!("answer `{value}`"),
            };
            (change, format!("return {value}"))
        });
        self.choice(
            open..open,
            vec![text(" ")],
            changes.collect(),
            Vec::new(),
            "{} };",
        );
    }

    /// Looks at a function under its name, unless it is none that can be asked at run time.
    fn within(&mut self, signature: &syn::Signature, block: Option<&syn::Block>) {
        let Some(block) = block else { return };
        if signature.constness.is_some() || signature.unsafety.is_some() {
            return;
        }
        let name = signature.ident.to_string();
        let name = match &self.owner {
            Some(owner) => format!("{owner}::{name}"),
            None => name,
        };
        let outer = core::mem::replace(&mut self.function, name);
        self.body(signature, block);
        visit::visit_block(self, block);
        self.function = outer;
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let left_out = match item {
            syn::Item::Fn(item) => is_left_out(&item.attrs),
            syn::Item::Mod(item) => is_left_out(&item.attrs),
            syn::Item::Impl(item) => {
                let named = item
                    .trait_
                    .as_ref()
                    .and_then(|(_, path, _)| path.segments.last());
                let shown =
                    named.is_some_and(|name| name.ident == "Display" || name.ident == "Debug");
                shown || is_left_out(&item.attrs)
            }
            syn::Item::Trait(item) => is_left_out(&item.attrs),
            _ => true,
        };
        if !left_out {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|name| name.ident.to_string()),
            _ => None,
        };
        let outer = core::mem::replace(&mut self.owner, name);
        visit::visit_item_impl(self, item);
        self.owner = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let outer = self.owner.take();
        self.within(&item.sig, Some(&item.block));
        self.owner = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_left_out(&item.attrs) {
            self.within(&item.sig, Some(&item.block));
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if !is_left_out(&item.attrs) {
            self.within(&item.sig, item.default.as_ref());
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let right = self.text(range(&*binary.right));
        if right.starts_with("planted(") || right.contains("::from(planted(") {
            // It is false, or nothing, where no bug is planted.
            return match binary.op {
                BinOp::And(_) => {}
                _ => self.visit_expr(&binary.left),
            };
        }
        self.operator(binary);
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let sign = match unary.op {
            syn::UnOp::Not(_) => "!",
            syn::UnOp::Neg(_) => "-",
            _ => return visit::visit_expr_unary(self, unary),
        };
        let operand = range(&*unary.expr);
        let whole = range(&unary.op).start..operand.end;
        self.single(whole, format!("delete `{sign}`"), |on| {
            vec![
                text("(match ("),
                Piece::Source(operand.clone()),
                text(format!(") {{ v => if {on} {{ v }} else {{ {sign}v }} }})")),
            ]
        });
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let name = match &*call.func {
            syn::Expr::Path(path) => path.path.segments.last().map(|name| &name.ident),
            _ => None,
        };
        if name.is_none_or(|name| !is_let_alone(name)) {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        match is_let_alone(&call.method) {
            true => self.visit_expr(&call.receiver),
            false => visit::visit_expr_method_call(self, call),
        }
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        let arms = choice.arms.iter();
        let rest = arms.clone().rposition(|arm| {
            let whole = match &arm.pat {
                syn::Pat::Wild(_) => true,
                syn::Pat::Ident(name) => {
                    let text = name.ident.to_string();
                    name.subpat.is_none() && text.starts_with(char::is_lowercase)
                }
                _ => false,
            };
            whole && arm.guard.is_none()
        });
        for (place, arm) in arms.enumerate() {
            if is_left_out(&arm.attrs) {
                continue;
            }
            match &arm.guard {
                Some((_, guard)) if !has_let(guard) => {
                    let range = range(&**guard);
                    let changes = ["true", "false"]
                        .map(|answer| (format!("guard to `{answer}`"), answer.to_owned()));
                    let right = vec![text("("), Piece::Source(range.clone()), text(")")];
                    self.choice(range, vec![text("(")], changes.to_vec(), right, " })");
                }
                None if rest.is_some_and(|rest| place < rest) => {
                    let end = range(&arm.pat).end;
                    self.single(end..end, "delete arm".to_owned(), |on| {
                        vec![text(format!(" if !{on}"))]
                    });
                }
                _ => {}
            }
        }
        visit::visit_expr_match(self, choice);
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_unsafe(&mut self, _: &'ast syn::ExprUnsafe) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
}

/// Whether what is called only makes room, as how much changes nothing that is answered, or plants a
/// bug.
fn is_let_alone(name: &syn::Ident) -> bool {
    ["with_capacity", "reserve", "try_reserve", "instead"]
        .iter()
        .any(|hint| name == hint)
}

/// What may stand wrongly in place of an operator.
fn others(sign: &str) -> Option<&'static [&'static str]> {
    Some(match sign {
        "==" => &["!="],
        "!=" => &["=="],
        "<" => &["<=", "==", ">"],
        ">" => &[">=", "==", "<"],
        "<=" => &["<", ">"],
        ">=" => &[">", "<"],
        "+" => &["-", "*"],
        "-" => &["+", "/"],
        "*" => &["+", "/"],
        "/" => &["%", "*"],
        "%" => &["/", "+"],
        "<<" => &[">>"],
        ">>" => &["<<"],
        "&" => &["|", "^"],
        "|" => &["&", "^"],
        "^" => &["&", "|"],
        "+=" => &["-=", "*="],
        "-=" => &["+=", "/="],
        "*=" => &["+=", "/="],
        "/=" => &["%=", "*="],
        "%=" => &["/=", "+="],
        "<<=" => &[">>="],
        ">>=" => &["<<="],
        "&=" => &["|=", "^="],
        "|=" => &["&=", "^="],
        "^=" => &["&=", "|="],
        _ => return None,
    })
}

/// Whether a chain binds something: it cannot be taken apart.
fn has_let(chain: &syn::Expr) -> bool {
    match chain {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}

fn range(spanned: &impl Spanned) -> Range<usize> {
    spanned.span().byte_range()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::site::render;

    fn changes(source: &str) -> Vec<String> {
        let sites = sites("f.rs", source, 1).expect("a source");
        let text = render(source, &sites, &BTreeSet::new()).text;
        assert!(syn::parse_file(&text).is_ok(), "{text}");
        let mutants = sites.into_iter().flat_map(|site| site.mutants);
        mutants.map(|mutant| mutant.change).collect()
    }

    #[test]
    fn every_kind_of_wrong_is_found() {
        let source = "fn f(mut a: i8, b: &str) -> Option<bool> { a += 1; match b {\n\
            \"x\" => Some(-a < 2 || !a == 7), \"y\" if a > 0 => None, _ => Some(true) } }";
        let wanted = [
            "answer `None`",
            "answer `Some(true)`",
            "answer `Some(false)`",
            "`+=` to `-=`",
            "`+=` to `*=`",
            "delete arm",
            "guard to `true`",
            "guard to `false`",
            "`||` to `&&`",
            "`<` to `<=`",
            "`<` to `==`",
            "`<` to `>`",
            "delete `-`",
            "`==` to `!=`",
            "delete `!`",
            "`>` to `>=`",
            "`>` to `==`",
            "`>` to `<`",
        ];
        assert_eq!(changes(source), wanted);
    }

    #[test]
    fn what_does_not_run_or_is_a_test_is_left_alone() {
        for source in [
            "const A: usize = 1 + 2; static B: [u8; 2 + 3] = [0; 5];",
            "const fn f() -> u8 { 1 + 1 }",
            "#[cfg(test)] mod tests { fn f() -> u8 { 1 + 1 } }",
            "#[cfg(not(feature = \"x\"))] fn f() -> u8 { 1 + 1 }",
            "impl fmt::Display for A { fn fmt(&self) -> bool { 1 == 2 } }",
            "fn f() { const A: u8 = 1 + 1; }",
            "fn f() { }",
            "unsafe fn f() -> u8 { 1 + 1 }",
        ] {
            let mut found = changes(source);
            found.retain(|change| change != "do nothing");
            assert!(found.is_empty(), "{source}: {found:?}");
        }
        assert_eq!(
            changes("fn f(a: Option<u8>) -> &u8 { if let Some(1) = a && b(a) { [0; 1 + 1]; } a }"),
            Vec::<String>::new()
        );
    }
}
