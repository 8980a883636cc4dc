//! Every flag.

use super::Flag;

pub(in crate::config) const FLAGS: &[Flag] = &[
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
        name: "storage.path",
        alias: None,
        default: Some(""),
        help: "A directory that keeps all series through restarts; none by default: they are in memory\n\
               alone.",
    },
    Flag {
        name: "storage.ack",
        alias: None,
        default: Some("memory"),
        help: "When an HTTP push is answered: memory when it is applied, commit when it is on disk too.",
    },
    Flag {
        name: "storage.commit-interval",
        alias: None,
        default: Some("100ms"),
        help: "How long a change waits at most until it is being written. With -storage.ack=commit it is\n\
               written at once.",
    },
    Flag {
        name: "storage.write-timeout",
        alias: None,
        default: Some("10s"),
        help: "How long a write to disk may take before it counts as failing: then nobody waits for it\n\
               any longer, and /-/ready says so.",
    },
    Flag {
        name: "idempotency.window",
        alias: None,
        default: Some("10m"),
        help: "How long a message with a key (Idempotency-Key, or id of an envelope) counts once and is\n\
               answered as the first time: longer than clients try again.",
    },
    Flag {
        name: "idempotency.max-keys",
        alias: None,
        default: Some("100000"),
        help: "Keys remembered at once, each of which takes some 200 bytes; beyond it the oldest goes\n\
               before its time.",
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
pub(super) const RELOADABLE: &[&str] = &[
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
pub(super) const LISTS: &[(&str, &str)] = &[
    ("http-listen-address", ","),
    ("udp-listen-address", ","),
    ("unix-listen-address", ","),
    ("declare.file", ","),
    ("web.cors.origins", ","),
    ("histogram.native", " "),
    ("summary.objectives", " "),
];
