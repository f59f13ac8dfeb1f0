//! What an export holds, told by the names of its rows in their order: contenders write different
//! columns, but each row's external id is in every form.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;

use crate::contenders::Form;
use crate::record::Rows;

/// The columns that hold the external id.
const COLUMNS: [&str; 2] = ["external_id", "origin_id"];

/// The digest of an export's rows.
pub fn digest(form: Form, export: impl Read) -> String {
    let mut rows = Rows::default();
    match form {
        Form::Csv => {
            let mut csv = csv::Reader::from_reader(export);
            let header = csv.headers().expect("a header").clone();
            let column = header.iter().position(|name| COLUMNS.contains(&name));
            let column = column.expect("a column of external ids");
            let mut record = csv::StringRecord::new();
            while csv.read_record(&mut record).expect("a record") {
                rows.add_name(record.get(column).expect("a cell"));
            }
        }
        Form::Ndjson => {
            for line in BufReader::with_capacity(1 << 20, export).lines() {
                let line = line.expect("a line");
                let named: Named = serde_json::from_str(&line).expect("an object");
                let name = named.external_id.or(named.origin.id);
                rows.add_name(&name.expect("an external id"));
            }
        }
    }
    rows.digest()
}

#[derive(serde::Deserialize)]
struct Named {
    external_id: Option<String>,
    #[serde(default)]
    origin: Origin,
}

#[derive(Default, serde::Deserialize)]
struct Origin {
    id: Option<String>,
}
