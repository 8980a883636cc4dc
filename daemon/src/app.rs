//! The application: everything bound, then everything started, then the wait for the end.

use std::{fmt, io, panic, sync::Arc, time::Instant};

use pushprom_core::{policy::Policy, registry::Registry};
use socket2::{Socket, Type};
use tokio::{
    runtime, select,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use crate::{
    clock,
    config::{Address, Config, Endpoint},
    declare::{DeclareError, declare},
    http,
    ingest::{Ingest, datagrams, udp},
    live::{Live, Settings},
    reload,
    shutdown::{self, Completion},
    socket::{
        BindError,
        unix::{self, SocketFile},
    },
    telemetry::{DatagramTransport, Telemetry},
    upkeep, version,
};

/// Why the application did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address could not be bound.
    #[error("cannot listen for {transport} on {address}: {error}{remedy}")]
    Bind {
        /// HTTP, UDP or unix datagrams.
        transport: &'static str,
        /// The address or path.
        address: String,
        /// What is wrong.
        error: BindError,
        /// What to do about it, where we know.
        remedy: &'static str,
    },
    /// A file of declarations cannot be followed.
    #[error("cannot declare what {path} lists: {error}; see -declare.file")]
    Declare {
        /// The file.
        path: String,
        /// What is wrong.
        error: DeclareError,
    },
    /// Threads or signals could not be had.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    /// Work in flight was cut off.
    #[error("requests in flight were cut off after -shutdown.timeout")]
    CutOff,
    /// A second signal came before the work in flight was done.
    #[error("requests in flight were cut off by a second signal")]
    SecondSignal,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(config: Config) -> Result<(), RunError> {
    let live = Arc::new(Live::new(config));
    let settings = live.settings();
    let config = &settings.config;
    let telemetry = Arc::new(Telemetry::default());
    report_panics(&telemetry);
    let Bound { listeners, sockets, files: _removed_at_the_end } = bind_all(config, &telemetry)?;
    warn_if_open(&settings);
    let registry = Registry::new(config.schema_conflicts);
    let policy = Policy::open(Arc::clone(&settings.rules));
    for path in &config.declare_files {
        let declared = declare(path, &registry, &policy, &config.limits, clock::now());
        let deltas = declared
            .map_err(|error| RunError::Declare { path: path.display().to_string(), error })?;
        tracing::info!(path = %path.display(), deltas, "declared");
    }
    let ingest = Arc::new(Ingest::new(registry, Arc::clone(&telemetry)));
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Signals first: none is missed from here on.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let (shutdown, completion) = shutdown::channel();
        for (socket, transport) in sockets {
            let (ingest, telemetry) = (Arc::clone(&ingest), Arc::clone(&telemetry));
            let (live, shutdown) = (Arc::clone(&live), shutdown.clone());
            datagrams::spawn(socket, transport, ingest, live, telemetry, shutdown)?;
        }
        upkeep::spawn(Arc::clone(&ingest), Arc::clone(&telemetry), shutdown.clone())?;
        let control = reload::spawn(Arc::clone(&live), Arc::clone(&telemetry))?;
        let context = http::Context::new(ingest, Arc::clone(&live), control.clone(), telemetry);
        http::spawn(listeners, config, &context, &shutdown)?;
        // What is left of it is what the threads hold.
        drop(shutdown);
        tracing::info!(version = version::VERSION, revision = version::REVISION, "ready");
        loop {
            select! {
                signal = either(&mut terminate, &mut interrupt) => {
                    tracing::info!(signal, "shutting down");
                    break;
                }
                () = control.quit_requested() => {
                    tracing::info!(path = "/-/quit", "shutting down");
                    break;
                }
                _ = hangup.recv() => {
                    let control = control.clone();
                    // It is logged there how it went.
                    tokio::spawn(async move { control.reload().await.ok() });
                }
            }
        }
        drain(config, completion, &mut terminate, &mut interrupt).await
    })
}

/// Says so if anybody who reaches us from elsewhere may do everything.
fn warn_if_open(settings: &Settings) {
    let is_loopback = |address: &Address| address.socket.ip().is_loopback();
    let is_near = |endpoint: &Endpoint| match endpoint {
        Endpoint::Ip(address) => is_loopback(address),
        Endpoint::Unix(_) => true,
    };
    let config = &settings.config;
    let is_near =
        config.http_listen.iter().all(is_near) && config.udp_listen.iter().all(is_loopback);
    if settings.access.is_open() && !is_near {
        tracing::warn!(
            "whoever reaches the addresses listened on may push and scrape: see access in \
             docs/configuration.md, or listen on 127.0.0.1"
        );
    }
}

/// Everything that listens.
struct Bound {
    listeners: Vec<http::Listener>,
    sockets: Vec<(Arc<Socket>, DatagramTransport)>,
    /// Those of unix sockets.
    files: Vec<SocketFile>,
}

/// Binds every address and path, or none.
fn bind_all(config: &Config, telemetry: &Telemetry) -> Result<Bound, RunError> {
    let (mut listeners, mut sockets, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let threads = http::threads()?;
    for endpoint in &config.http_listen {
        let remedy = match endpoint {
            Endpoint::Ip(address) if address.socket.port() == 9091 => {
                "; 9091 is also the Pushgateway's port, see -http-listen-address"
            }
            Endpoint::Ip(_) | Endpoint::Unix(_) => "; see -http-listen-address",
        };
        let bound = http::Listener::bind(endpoint, config, threads);
        let (listener, file) = bound.map_err(bind_error("http", endpoint, remedy))?;
        tracing::info!(transport = "http", address = listener.address()?, "listening");
        listeners.push(listener);
        files.extend(file);
    }
    for address in &config.udp_listen {
        let bound = udp::bind(address, config).map_err(BindError::Ip);
        let bound = bound.map_err(bind_error("udp", address, "; see -udp-listen-address"))?;
        let (address, receive_buffer_bytes) = (bound.address, bound.receive_buffer_bytes);
        tracing::info!(transport = "udp", %address, receive_buffer_bytes, "listening");
        telemetry.watch_udp(address, receive_buffer_bytes, &bound.sockets);
        sockets.extend(bound.sockets.into_iter().map(|socket| (socket, DatagramTransport::Udp)));
    }
    for path in &config.unix_listen {
        let bound =
            unix::bind(path, Type::DGRAM, config.unix_mode, |_| Ok(())).map_err(BindError::Unix);
        let remedy = "; see -unix-listen-address";
        let (socket, file) = bound.map_err(bind_error("unix", path.display(), remedy))?;
        tracing::info!(transport = "unix", address = %path.display(), "listening");
        sockets.push((Arc::new(socket), DatagramTransport::Unix));
        files.push(file);
    }
    Ok(Bound { listeners, sockets, files })
}

fn bind_error(
    transport: &'static str,
    address: impl fmt::Display,
    remedy: &'static str,
) -> impl FnOnce(BindError) -> RunError {
    let address = address.to_string();
    move |error| {
        let remedy = if error.is_in_use() { remedy } else { "" };
        RunError::Bind { transport, address, error, remedy }
    }
}

/// Ends everything that runs, within the deadline.
async fn drain(
    config: &Config,
    mut completion: Completion,
    terminate: &mut Signal,
    interrupt: &mut Signal,
) -> Result<(), RunError> {
    let begun = Instant::now();
    completion.request();
    select! {
        ended = timeout(config.shutdown_timeout, completion.ended()) => {
            ended.map_err(|_| RunError::CutOff)?;
        }
        _ = either(terminate, interrupt) => return Err(RunError::SecondSignal),
    }
    tracing::info!(took = ?begun.elapsed(), "stopped");
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Counts and logs every panic, wherever it happens. It ends a datagram, a request or a connection.
fn report_panics(telemetry: &Arc<Telemetry>) {
    let telemetry = Arc::clone(telemetry);
    panic::set_hook(Box::new(move |info| {
        telemetry.record_panic();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let payload = info.payload_as_str().unwrap_or("no message");
        tracing::error!(
            place,
            panic = payload,
            "a fault of pushprom was contained; please report it"
        );
    }));
}
