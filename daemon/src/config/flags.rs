//! The table of flags, and how the command line and the environment fill it: as Go's `flag` package reads
//! them (`-x v`, `-x=v`, `--x v`, `--x=v`, the last one wins, parsing stops at the first other argument),
//! because the original's are. The file of `-config.file` fills in what neither gives.

use std::{ffi::OsString, iter, path::Path};

use getopts::{Fail, HasArg, Occur, Options, ParsingStyle};

use super::{
    ConfigError, UsageError,
    file::{File, FileError},
    yaml::{Place, Problem},
};

/// One flag: everything that is known of it.
pub(super) struct Flag {
    /// Its name, without the dash.
    pub(super) name: &'static str,
    /// Another spelling, for the flags of former releases of the original.
    alias: Option<&'static str>,
    /// The value where none is given; `None` marks a switch, which is off.
    pub(super) default: Option<&'static str>,
    /// What it does.
    pub(super) help: &'static str,
}

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        name: "config.file",
        alias: None,
        default: Some(""),
        help: "A file, in YAML, of settings that neither flags nor environment give, of rules for metrics\n\
               by their names, and of who may do what. SIGHUP reads it again.",
    },
    Flag {
        name: "http-listen-address",
        alias: None,
        default: Some("0.0.0.0:9091"),
        help: "Addresses for HTTP pushes and scrapes, comma-separated.\n\
               0.0.0.0 or no host means all of IPv4 and IPv6; port 0 means any free port.\n\
               What begins with / or unix: is the path of a unix socket.",
    },
    Flag {
        name: "udp-listen-address",
        alias: None,
        default: Some("0.0.0.0:9090"),
        help: "Addresses for UDP pushes, comma-separated, as above; no paths.",
    },
    Flag {
        name: "unix-listen-address",
        alias: None,
        default: Some(""),
        help: "Paths of unix sockets for pushes by datagram, comma-separated; none by default.",
    },
    Flag {
        name: "unix.mode",
        alias: None,
        default: Some("0660"),
        help: "Permissions of the files of unix sockets, in octal.",
    },
    Flag {
        name: "udp.receive-buffer-bytes",
        alias: None,
        default: Some("16777216"),
        help: "Bytes that the kernel is asked to hold for each UDP socket while we are busy.\n\
               Without CAP_NET_ADMIN it grants at most net.core.rmem_max.",
    },
    Flag {
        name: "udp.sockets",
        alias: None,
        default: Some("1"),
        help: "Sockets, each with a thread, for each UDP address. With more than one, datagrams of\n\
               different senders may overtake each other.",
    },
    Flag {
        name: "schema.conflicts",
        alias: None,
        default: Some("adopt"),
        help: "What a delta with another help text or other label names than its family's does:\n\
               adopt takes it over, reject refuses it as the original does.",
    },
    Flag {
        name: "lint.warn",
        alias: None,
        default: None,
        help: "Log what promtool check metrics would complain about, once each, and list it all on\n\
               /-/lint. Nothing is refused for it.",
    },
    Flag {
        name: "names.validation-scheme",
        alias: None,
        default: Some("legacy"),
        help: "Which names of metrics and labels are taken: legacy takes letters, digits, underscores\n\
               and, for metrics, colons; utf8 takes any text. Scrapers that do not ask for such names\n\
               get them escaped.",
    },
    Flag {
        name: "openmetrics.created",
        alias: None,
        default: None,
        help: "Show in OpenMetrics when each series began, as samples whose names end in _created.\n\
               Protobuf shows it always.",
    },
    Flag {
        name: "series.limit",
        alias: None,
        default: Some("2000000"),
        help: "Series held in all. What would be one more goes to a series of its family with the label\n\
               pushprom_overflow, so that totals stay right; gauges and new families are refused.",
    },
    Flag {
        name: "series.limit-per-family",
        alias: None,
        default: Some("off"),
        help: "Series of each family, or off; beyond it as above. Rules may say otherwise by name.",
    },
    Flag {
        name: "series.limit-per-client",
        alias: None,
        default: Some("off"),
        help: "Series that each client may begin, or off; beyond it as above. A client is who has shown\n\
               credentials, or else an address: of IPv6 its first 64 bits.",
    },
    Flag {
        name: "series.max-bytes",
        alias: None,
        default: Some("2147483648"),
        help: "Bytes that all series may take, as estimated from the most that each may grow to; beyond\n\
               it as above.",
    },
    Flag {
        name: "series.expire-after",
        alias: None,
        default: Some("off"),
        help: "How long a series without a delta to it is kept, or off. One that comes back begins anew,\n\
               with a new start time. Rules may say otherwise by name and labels.",
    },
    Flag {
        name: "counter.first-scrape-zero",
        alias: None,
        default: Some("off"),
        help: "How long after its birth a series of a counter, histogram or summary is shown as 0 in text\n\
               formats, so that every scraper sees the 0 before the first value: longer than the\n\
               longest scrape interval, or off.",
    },
    Flag {
        name: "declare.file",
        alias: None,
        default: Some(""),
        help: "Files of deltas with the method declare, comma-separated: series that are there from the\n\
               start.",
    },
    Flag {
        name: "histogram.native",
        alias: None,
        default: Some(""),
        help: "Which histograms get native buckets: rules PATTERN=SETTING, separated by spaces, of which\n\
               the first holds whose pattern, a regular expression, fits the whole name. A setting is\n\
               classic, beside or instead, these two with :SCHEMA or :SCHEMA:MAX_BUCKETS if need be.\n\
               A setting alone is a rule for all names. Where no rule fits, the client decides.",
    },
    Flag {
        name: "summary.objectives",
        alias: None,
        default: Some(""),
        help: "Which quantiles are shown of summaries whose clients ask for none: rules as above, with\n\
               settings such as 0.5:0.05,0.99:0.001.",
    },
    Flag {
        name: "summary.max-age",
        alias: None,
        default: Some("10m"),
        help: "How far back quantiles of summaries look.",
    },
    Flag {
        name: "summary.age-buckets",
        alias: None,
        default: Some("5"),
        help: "Slices that this time is divided into; the oldest is forgotten as a whole.",
    },
    Flag {
        name: "web.config.file",
        alias: None,
        default: Some(""),
        help: "File of TLS, users and headers for HTTP, as exporter-toolkit has it; none by default. It is\n\
               read again when it changes.",
    },
    Flag {
        name: "web.systemd-socket",
        alias: None,
        default: None,
        help: "Take the sockets that systemd passes: streams for HTTP instead of -http-listen-address;\n\
               datagrams, if there are any, instead of -udp-listen-address and -unix-listen-address.",
    },
    Flag {
        name: "web.max-body-bytes",
        alias: None,
        default: Some("1048576"),
        help: "Bytes of one HTTP body, as it comes and unpacked; a longer one is answered with 413.",
    },
    Flag {
        name: "web.cors.origins",
        alias: None,
        default: Some(""),
        help: "Origins whose pages in a browser may push, comma-separated, such as\n\
               https://shop.example; * is any, and goes with open access only.",
    },
    Flag {
        name: "web.enable-lifecycle",
        alias: None,
        default: None,
        help: "Reload and stop by PUT or POST to /-/reload and /-/quit.",
    },
    Flag {
        name: "web.max-connections",
        alias: None,
        default: Some("1024"),
        help: "HTTP connections open at once; at the limit an idle one is closed for a new one.",
    },
    Flag {
        name: "web.max-scrapes",
        alias: None,
        default: Some("40"),
        help: "Scrapes that wait for their page at once; a further one is answered with 503.",
    },
    Flag {
        name: "web.header-timeout",
        alias: None,
        default: Some("10s"),
        help: "Until a request's header is complete, from the connection or the answer before.",
    },
    Flag {
        name: "web.body-timeout",
        alias: None,
        default: Some("10s"),
        help: "Until a request's body is complete, from its header.",
    },
    Flag {
        name: "web.write-timeout",
        alias: None,
        default: Some("10s"),
        help: "Until a client has taken its answer, from when it first made us wait.",
    },
    Flag {
        name: "web.enable-admin-api",
        alias: None,
        default: None,
        help: "Let operators list families and series over HTTP, and delete series.",
    },
    Flag {
        name: "shutdown.timeout",
        alias: None,
        default: Some("4s"),
        help: "Until requests in flight are cut off after SIGTERM or SIGINT.",
    },
    Flag {
        name: "log.level",
        alias: Some("log-level"),
        default: Some("info"),
        help: "The least severe events to log: debug, info, warn or error.",
    },
    Flag {
        name: "log.format",
        alias: None,
        default: Some("logfmt"),
        help: "How log lines are laid out: logfmt or json.",
    },
    Flag { name: "debug", alias: None, default: None, help: "The same as -log.level=debug." },
    Flag { name: "version", alias: None, default: None, help: "Print the version and exit." },
    Flag { name: "help", alias: Some("h"), default: None, help: "Print this text and exit." },
];

/// Flags that take effect when the configuration is reloaded; the others, when the process starts.
const RELOADABLE: &[&str] = &[
    "histogram.native",
    "summary.objectives",
    "series.limit",
    "series.limit-per-family",
    "series.limit-per-client",
    "series.max-bytes",
    "series.expire-after",
    "web.max-body-bytes",
    "web.cors.origins",
    "log.level",
    "debug",
];

/// Flags whose values are lists, and what stands between two items.
const LISTS: &[(&str, &str)] = &[
    ("http-listen-address", ","),
    ("udp-listen-address", ","),
    ("unix-listen-address", ","),
    ("declare.file", ","),
    ("web.cors.origins", ","),
    ("histogram.native", " "),
    ("summary.objectives", " "),
];

impl Flag {
    /// All its spellings.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        iter::once(self.name).chain(self.alias)
    }

    /// Its environment variable. What asks for a text instead of a server has none: images like to set
    /// a variable that ends in VERSION.
    pub(super) fn variable(&self) -> Option<String> {
        if matches!(self.name, "version" | "help") {
            return None;
        }
        let variable =
            format!("PUSHPROM_{}", self.name.to_ascii_uppercase().replace(['.', '-'], "_"));
        Some(variable)
    }

    /// Its key in the file: the name, of which each full stop leads into a mapping. What asks for a text
    /// or for the file itself has none.
    pub(super) fn key(&self) -> Option<String> {
        (!matches!(self.name, "version" | "help" | "config.file"))
            .then(|| self.name.replace('-', "_"))
    }

    /// What stands between the items of its value, if that is a list.
    pub(super) fn list_separator(&self) -> Option<&'static str> {
        LISTS.iter().find(|(name, _)| *name == self.name).map(|(_, separator)| *separator)
    }

    /// Whether a reload puts another value in force.
    pub(super) fn is_reloadable(&self) -> bool {
        RELOADABLE.contains(&self.name)
    }
}

/// What was given for each flag, and where.
#[derive(Clone, Debug)]
pub(super) struct Values {
    // In the order of FLAGS.
    given: Vec<Option<Given>>,
}

#[derive(Clone, Debug)]
struct Given {
    text: String,
    origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Origin {
    /// The command line, under one of the flag's names.
    Flag(&'static str),
    Variable(String),
    File {
        path: String,
        place: Option<Place>,
    },
}

impl Values {
    pub(super) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, UsageError> {
        let mut grammar = Options::new();
        grammar.long_only(true).parsing_style(ParsingStyle::StopAtFirstFree);
        for flag in FLAGS {
            let takes = if flag.default.is_some() { HasArg::Yes } else { HasArg::Maybe };
            for name in flag.names() {
                let (short, long) = if name.len() == 1 { (name, "") } else { ("", name) };
                grammar.opt(short, long, "", "", takes, Occur::Multi);
            }
        }
        let matches = grammar.parse(arguments).map_err(|fail| match fail {
            Fail::ArgumentMissing(name) => UsageError::NoValue(name),
            Fail::UnrecognizedOption(name)
            | Fail::OptionMissing(name)
            | Fail::OptionDuplicated(name)
            | Fail::UnexpectedArgument(name) => UsageError::Unknown(name),
        })?;
        let given = FLAGS.iter().map(|flag| {
            let by_flag = flag.names().flat_map(|name| {
                // A switch may stand without a value; its position tells that it was there.
                let bare =
                    matches.opt_positions(name).into_iter().map(|at| (at, "true".to_owned()));
                let valued = matches.opt_strs_pos(name);
                bare.chain(valued).map(move |(at, text)| (at, name, text))
            });
            // Of a switch with a value both are there; the later in this order is the value.
            let last = by_flag.max_by_key(|(at, _, _)| *at);
            let by_flag = last.map(|(_, name, text)| Given { text, origin: Origin::Flag(name) });
            by_flag.or_else(|| {
                let variable = flag.variable()?;
                // An empty variable is how many launchers unset one.
                let text = environment(&variable).filter(|text| !text.is_empty())?;
                Some(Given { text, origin: Origin::Variable(variable) })
            })
        });
        Ok(Self { given: given.collect() })
    }

    /// Takes from a file what neither flags nor environment gave.
    pub(super) fn fill_in(&mut self, path: &Path, file: &File) {
        for (given, by_file) in self.given.iter_mut().zip(&file.given) {
            if let (None, Some((text, place))) = (&given, by_file) {
                let origin = Origin::File { path: path.display().to_string(), place: *place };
                *given = Some(Given { text: text.clone(), origin });
            }
        }
    }

    /// Takes from `old` the values that only a start changes; says the names of those that differ.
    pub(super) fn keep_fixed(&mut self, old: &Self) -> Vec<&'static str> {
        let mut kept = Vec::new();
        for (index, flag) in FLAGS.iter().enumerate().filter(|(_, flag)| !flag.is_reloadable()) {
            if self.text(index) != old.text(index) {
                kept.push(flag.name);
                self.given[index].clone_from(&old.given[index]);
            }
        }
        kept
    }

    /// How many are from the file.
    pub(super) fn count_of_file(&self) -> usize {
        let is_from_file = |given: &&Given| matches!(given.origin, Origin::File { .. });
        self.given.iter().flatten().filter(is_from_file).count()
    }

    /// Every flag that a server has, with its value in force.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        // The others ask for something else than a server.
        let of_servers = FLAGS.iter().enumerate().filter(|(_, flag)| flag.variable().is_some());
        of_servers.map(|(index, flag)| (flag.name, self.text(index)))
    }

    /// The value of a flag, read by `read`, which says what is wrong with it otherwise.
    pub(super) fn get<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.get_paths(name, |_, text| read(text))
    }

    /// The same, where paths may be in it: `read` is told the folder at which relative ones begin.
    pub(super) fn get_paths<T>(
        &self,
        name: &str,
        read: impl Fn(&Path, &str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let index = FLAGS.iter().position(|flag| flag.name == name);
        let index = index.expect("every flag that is read is in the table");
        let text = self.text(index);
        // What a file says is meant from where the file is; all else from where we were started.
        let folder = match self.given[index].as_ref().map(|given| &given.origin) {
            Some(Origin::File { path, .. }) => Path::new(path).parent(),
            Some(Origin::Flag(_) | Origin::Variable(_)) | None => None,
        };
        read(folder.unwrap_or(Path::new("")), text).map_err(|problem| {
            let origin = match self.given[index].as_ref().map(|given| &given.origin) {
                Some(Origin::Flag(name)) => format!("flag -{name}"),
                Some(Origin::Variable(variable)) => format!("environment variable {variable}"),
                Some(Origin::File { path, place }) => {
                    let key = FLAGS[index].key().unwrap_or_default();
                    let problem = format!("invalid value {text:?} for {key}: {problem}");
                    let problem = Problem { place: *place, text: problem };
                    return FileError::new(Path::new(path), problem).into();
                }
                None => "the default".to_owned(),
            };
            UsageError::Invalid { value: text.to_owned(), origin, problem }.into()
        })
    }

    /// The text of a flag's value in force, by its place in the table.
    fn text(&self, index: usize) -> &str {
        let default = FLAGS[index].default.unwrap_or("false");
        self.given[index].as_ref().map_or(default, |given| &given.text)
    }

    /// Whether a switch is on, in the words of Go's `strconv.ParseBool`.
    pub(super) fn switch(&self, name: &str) -> Result<bool, ConfigError> {
        self.get(name, |text| match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err("use true or false".to_owned()),
        })
    }
}
