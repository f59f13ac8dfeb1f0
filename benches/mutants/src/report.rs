//! What became of the mutants: a table by module, and the survivors by place.

use crate::make::MODULES;
use crate::state::Outcome;
use crate::state::State;

pub fn report(state: &State) {
    let (mutants, results) = (state.mutants(), state.results());
    println!(
        "| module | found | compile | judged | caught | hung | survived | unreached | noticed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (module, _) in MODULES {
        let found = mutants.iter().filter(|made| made.module == module);
        let compiling: Vec<_> = found.clone().filter(|made| made.builds).collect();
        let outcomes = compiling.iter().filter_map(|made| results.get(&made.key));
        let count = |outcome| {
            outcomes
                .clone()
                .filter(|judged| judged.outcome == outcome)
                .count()
        };
        let [caught, hung, survived, unreached] = [
            Outcome::Caught,
            Outcome::Hung,
            Outcome::Survived,
            Outcome::Unreached,
        ]
        .map(count);
        let judged = outcomes.clone().count();
        let share = (caught + hung) as f64 * 100.0 / judged.max(1) as f64;
        println!(
            "| {module} | {} | {} | {judged} | {caught} | {hung} | {survived} | {unreached} | {share:.1} % |",
            found.count(),
            compiling.len(),
        );
    }
    println!();
    for made in mutants.iter().filter(|made| made.builds) {
        let Some(judged) = results.get(&made.key) else {
            continue;
        };
        if matches!(judged.outcome, Outcome::Survived | Outcome::Unreached) {
            let key = &made.key;
            println!(
                "{}:{}:{}: {} in `{}` ({:?}, {} of {} tests)",
                key.file,
                key.line,
                key.column,
                key.change,
                made.function,
                judged.outcome,
                judged.tests[0],
                judged.tests[1],
            );
        }
    }
}
