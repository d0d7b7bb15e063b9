//! Prints the figures of this machine: `rates [prefix] [samples]`.
#![allow(clippy::print_stdout, reason = "a program that prints")]

use quil_session_io::bench;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let prefix = arguments.first().map_or("", String::as_str);
    let samples = arguments
        .get(1)
        .map_or(Ok(bench::SAMPLES), |text| text.parse())?;
    let exact = bench::IDS.contains(&prefix);
    for id in bench::IDS {
        if !id.starts_with(prefix) || (exact && id != prefix) {
            continue;
        }
        for row in bench::run(id, samples)? {
            let processor = row.processor.map_or(String::new(), |figure| {
                format!(", {figure:.4e} by processor time")
            });
            println!(
                "{id:28} {:12.5e} {} (p10 {:.4e}, p90 {:.4e}, best {:.4e}{processor}; {} samples)",
                row.value, row.unit, row.p10, row.p90, row.best, row.samples
            );
        }
    }
    Ok(())
}
