//! The outside tests: the real binary on free ports, real peers, real files.
//!
//! They wait for conditions and never for time to pass. What they need installed, `make test` installs.

#![expect(clippy::float_cmp, reason = "samples are compared as written: whole counts, exact sums")]

mod support;

mod access;
mod api;
mod compressed;
mod config;
mod conformance;
mod declare;
mod flags;
mod http;
mod http2;
mod idempotency;
mod limits;
mod lint;
mod negotiation;
mod scrape;
mod udp;
mod unix;

mod systemd;
mod timing;
mod tls;
mod users;
mod web_config;

mod abuse;
mod hostile;
mod shutdown;
mod storage;
mod storage_tool;

mod docs;
mod house;

mod container;
mod php;
mod prometheus;
mod promql;
mod readme;
mod relabel;
