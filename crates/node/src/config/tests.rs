use super::*;

fn with(text: &str) -> Result<Config, ConfigError> {
    Layers::built_in()?.with_file(text)?.decode()
}

#[test]
fn empty_file_gives_the_defaults() {
    assert_eq!(with("# nothing\n").unwrap(), Config::built_in());
}

#[test]
fn flag_wins_over_environment_over_file_over_default() {
    let layers = Layers::built_in()
        .unwrap()
        .with_file("workers:\n  count: 2\nlog:\n  filter: warn\n")
        .unwrap();
    let layers = layers
        .with_environment([("QUIL_WORKERS__COUNT".into(), "3".into())].into_iter())
        .unwrap();
    assert_eq!(layers.decode().unwrap().workers.count, 3);
    let layers = layers.with_flag("workers.count", "4").unwrap();
    let config = layers.decode().unwrap();
    assert_eq!(
        (config.workers.count, config.log.filter.as_str()),
        (4, "warn")
    );
    assert_eq!(layers.origin("workers.count"), Origin::Flag);
    assert_eq!(layers.origin("log.filter"), Origin::File);
    assert_eq!(layers.origin("store.cache_mib"), Origin::Default);
}

#[test]
fn unknown_key_names_the_nearest_one() {
    let e = with("p2p:\n  lisen: []\n").unwrap_err().to_string();
    assert!(
        e.contains("`p2p.lisen`") && e.contains("`p2p.listen`"),
        "{e}"
    );
    let e = Layers::built_in()
        .unwrap()
        .with_environment([("QUIL_STORE__CASH_MIB".into(), "3".into())].into_iter());
    let e = e.unwrap_err().to_string();
    assert!(
        e.contains("QUIL_STORE__CASH_MIB") && e.contains("store.cache_mib"),
        "{e}"
    );
}

#[test]
fn wrong_types_and_ranges_are_errors() {
    for bad in [
        "version: 2\n",
        "workers:\n  count: 65\n",
        "workers:\n  count: many\n",
        "workers: 3\n",
        "p2p:\n  listen: []\n",
        "store:\n  cache_mib: 0\n",
        "rpc:\n  listen: nowhere\n",
        "log:\n  format: xml\n",
        "a: &x 1\nb: *x\n",
        "version: 1\nversion: 1\n",
        "version: 1\n---\nversion: 1\n",
        "[1, 2]\n",
        "text\n",
    ] {
        assert!(with(bad).is_err(), "accepted: {bad}");
    }
    assert!(matches!(
        with(&" ".repeat(FILE_BYTES_MAX + 1)),
        Err(ConfigError::TooLarge(_))
    ));
}

#[test]
fn environment_switches_of_the_command_line_are_no_keys() {
    let vars = [
        ("QUIL_HOME".to_owned(), "/x".to_owned()),
        ("PATH".to_owned(), "/bin".to_owned()),
    ];
    assert!(
        Layers::built_in()
            .unwrap()
            .with_environment(vars.into_iter())
            .is_ok()
    );
}

#[test]
fn listening_addresses_may_be_lists_in_the_environment() {
    let vars = [(
        "QUIL_P2P__LISTEN".to_owned(),
        "[/ip4/127.0.0.1/tcp/0]".to_owned(),
    )];
    let config = Layers::built_in()
        .unwrap()
        .with_environment(vars.into_iter())
        .unwrap()
        .decode()
        .unwrap();
    assert_eq!(config.p2p.listen, ["/ip4/127.0.0.1/tcp/0"]);
}
