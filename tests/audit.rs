//! The advisory audit without a network: every locked package against a RustSec snapshot.
//! The snapshot is named by `AUDITDB_ADVISORIES`, or lies beside the checkout; where there is none
//! this says so and passes, and `.ci/run` is what insists. An advisory that does not concern us is
//! listed with its reason, and leaves the list when it no longer applies.

use std::env;
use std::fs;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use semver::Version;
use semver::VersionReq;
use serde::Deserialize;

/// Advisories that hold for a locked package and are accepted: id, package, reason.
const ACCEPTED: &[(&str, &str, &str)] = &[];

/// The lock files of the library and of the crates beside it.
const LOCKS: [&str; 3] = ["Cargo.lock", "fuzz/Cargo.lock", "benches/peers/Cargo.lock"];

/// An advisory as the snapshot writes it, less what is not asked here.
#[derive(Deserialize)]
struct Document {
    advisory: Head,
    versions: Versions,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    package: String,
    withdrawn: Option<String>,
}

#[derive(Deserialize)]
struct Versions {
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// One advisory in force, with the versions it says are well.
struct Advisory {
    id: String,
    package: String,
    well: Vec<VersionReq>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Version,
}

/// Where the snapshot is; none if nobody named one and none lies beside the checkout.
fn snapshot() -> Option<PathBuf> {
    if let Some(named) = env::var_os("AUDITDB_ADVISORIES") {
        let path = PathBuf::from(named);
        assert!(
            path.is_file(),
            "AUDITDB_ADVISORIES names no file: {}",
            path.display()
        );
        return Some(path);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/advisory-db.tar.gz");
    beside.is_file().then_some(beside)
}

/// Every advisory in force of a packed snapshot.
fn advisories(packed: impl Read) -> Vec<Advisory> {
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let entries = archive.entries().expect("the snapshot is a tar archive");
    let mut found = Vec::new();
    for entry in entries {
        let mut entry = entry.expect("the snapshot is whole");
        let path = entry.path().expect("paths are text").into_owned();
        let inside = path.components().any(|part| part.as_os_str() == "crates");
        if inside && path.extension().is_some_and(|end| end == "md") {
            let mut text = String::new();
            entry
                .read_to_string(&mut text)
                .expect("an advisory is text");
            found.extend(advisory(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display())));
        }
    }
    found
}

/// Reads one advisory: TOML between the fences, prose after them. None if it was withdrawn.
fn advisory(text: &str) -> Result<Option<Advisory>, String> {
    let head = text
        .split_once("```toml")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(head, _)| head)
        .ok_or("no TOML at its head")?;
    let file: Document = toml::from_str(head).map_err(|error| error.to_string())?;
    let requirements = file
        .versions
        .patched
        .iter()
        .chain(&file.versions.unaffected);
    let well: Result<Vec<VersionReq>, _> = requirements
        .map(|requirement| VersionReq::parse(requirement))
        .collect();
    let well = well.map_err(|error| error.to_string())?;
    let Head {
        id,
        package,
        withdrawn,
    } = file.advisory;
    Ok(withdrawn
        .is_none()
        .then_some(Advisory { id, package, well }))
}

/// The advisories that hold for a lock file's packages, as `(id, package)`.
fn findings(lock: &str, advisories: &[Advisory]) -> Vec<(String, String)> {
    let lock: Lock = toml::from_str(lock).expect("Cargo wrote its lock file");
    let mut found = Vec::new();
    for package in &lock.package {
        for advisory in advisories
            .iter()
            .filter(|advisory| advisory.package == package.name)
        {
            if !advisory
                .well
                .iter()
                .any(|well| well.matches(&package.version))
            {
                found.push((
                    advisory.id.clone(),
                    format!("{} {}", package.name, package.version),
                ));
            }
        }
    }
    found
}

#[test]
#[expect(clippy::print_stderr, reason = "a check that did not run says so")]
fn no_locked_package_has_an_advisory_without_a_reason() {
    let Some(path) = snapshot() else {
        eprintln!("not run: no advisory snapshot; name one in AUDITDB_ADVISORIES");
        return;
    };
    let advisories = advisories(File::open(&path).expect("the snapshot can be read"));
    assert!(
        advisories.len() > 500,
        "only {} advisories in {}",
        advisories.len(),
        path.display()
    );
    let mut unused: Vec<&str> = ACCEPTED.iter().map(|(id, _, _)| *id).collect();
    let mut open = Vec::new();
    for name in LOCKS {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let Ok(lock) = fs::read_to_string(lock) else {
            continue;
        };
        for (id, package) in findings(&lock, &advisories) {
            let known = ACCEPTED
                .iter()
                .any(|(accepted, of, _)| *accepted == id && package.starts_with(of));
            unused.retain(|accepted| !known || *accepted != id);
            if !known {
                open.push(format!("{name}: {package}: {id}"));
            }
        }
    }
    assert!(
        open.is_empty(),
        "advisories without a reason:\n{}\n",
        open.join("\n")
    );
    assert!(
        unused.is_empty(),
        "accepted but no longer needed: {unused:?}"
    );
}

#[test]
fn every_accepted_advisory_has_a_reason() {
    for (id, package, reason) in ACCEPTED {
        assert!(
            id.starts_with("RUSTSEC-") && !package.is_empty(),
            "{id} {package}"
        );
        assert!(reason.len() > 40, "{id}: say why it does not concern us");
    }
}

#[test]
fn a_planted_advisory_is_found_and_a_patched_version_is_not() {
    let text = "```toml\n[advisory]\nid = \"RUSTSEC-2026-9999\"\npackage = \"leak\"\n\
                [versions]\npatched = [\">= 1.4.2\"]\nunaffected = [\"< 1.2.0\"]\n```\n# Leaks\n";
    let planted = advisory(text)
        .expect("it is well formed")
        .expect("it is in force");
    let lock = |version: &str| format!("[[package]]\nname = \"leak\"\nversion = \"{version}\"\n");
    let hits = |version: &str| findings(&lock(version), std::slice::from_ref(&planted)).len();
    assert_eq!(hits("1.4.1"), 1);
    assert_eq!(hits("1.2.0"), 1);
    assert_eq!(hits("1.1.9"), 0);
    assert_eq!(hits("1.4.2"), 0);

    let withdrawn = text.replace("package =", "withdrawn = \"2026-01-01\"\npackage =");
    assert!(advisory(&withdrawn).expect("it is well formed").is_none());
    assert!(advisory("# no head").is_err());
}
