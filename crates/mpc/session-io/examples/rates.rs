//! Prints the rates of this machine: `rates [prefix] [samples]`. With `rss` it runs one small session between both
//! parties and prints the memory of the process.
#![allow(clippy::print_stdout, reason = "a program that prints")]

use quil_session_io::bench;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let prefix = arguments.first().map_or("", String::as_str);
    let samples = arguments.get(1).map_or(Ok(3), |text| text.parse())?;
    if prefix == "rss" {
        bench::run("session.setup", 1)?;
        println!(
            "both parties: {:.1} MiB",
            bench::resident_peak().unwrap_or(0) as f64 / f64::from(1 << 20)
        );
        return Ok(());
    }
    for row in bench::run(prefix, samples)? {
        let processor = row.processor.map_or(String::new(), |figure| {
            format!(", {figure:.2} by processor time")
        });
        let (id, unit, samples, spread) = (row.id, row.unit, row.samples, row.spread * 100.0);
        let (figure, best) = (row.figure, row.best);
        println!(
            "{id:22} {figure:9.2} {unit} (best {best:.2}{processor}; {samples} samples, spread {spread:.0} %)"
        );
    }
    Ok(())
}
