//! The application: everything bound, then HTTP served, then what was stored restored, then everything else started,
//! then the wait for the end.

mod start;

use std::{
    fmt, io, panic,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pushprom_core::{answers::Answers, registry::Registry};
use socket2::{SockAddr, Socket, Type};
use tokio::{
    runtime, select,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use crate::{
    access::{self, CheckError},
    config::{Config, Endpoint, Sockets},
    declare::DeclareError,
    http,
    ingest::{Ingest, datagrams, udp},
    live::Live,
    notify,
    reload::{self, Control},
    shutdown::{self, Completion},
    socket::{
        self, BindError, PassedError,
        unix::{self, SocketFile},
    },
    store::{Committer, Storage, StoreError},
    telemetry::{DatagramTransport, Telemetry},
    upkeep, version,
    web::{OpenError, Reload, Web},
};

/// How long the store has at least for what changed last, though `-shutdown.timeout` is over.
const LAST_COMMIT_WAIT: Duration = Duration::from_secs(1);

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
    /// Access cannot be granted as the configuration says.
    #[error(transparent)]
    Access(#[from] CheckError),
    /// Threads or signals could not be had.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
    /// The file of TLS, users and headers cannot be followed.
    #[error("cannot use the file of -web.config.file: {0}")]
    Web(#[from] OpenError),
    /// The sockets that systemd passes cannot be taken.
    #[error("cannot listen with -web.systemd-socket: {0}")]
    Passed(#[from] PassedError),
    /// What outlives the process cannot be read or written.
    #[error("-storage.path: {0}")]
    Store(#[from] StoreError),
    /// A fault of ours. It has been counted and logged.
    #[error("a fault of pushprom ended the start, see above: report it")]
    NotStarted,
    /// What changed last is lost.
    #[error("what changed last is not on disk, and lost: {0}")]
    Unwritten(StoreError),
    /// What changed last may be lost.
    #[error(
        "what changed last may be lost: -storage.path did not take it before -shutdown.timeout or a second signal"
    )]
    UnwrittenInTime,
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
    let web =
        config.web_config_file.as_deref().map(|path| open_web(path, &telemetry)).transpose()?;
    let bound = bind_all(config, &telemetry)?;
    access::check(config, web.as_deref())?;
    warn_if_open(config, web.as_deref(), &bound)?;
    let Bound { listeners, sockets, files: _removed_at_the_end } = bound;
    let registry = match &config.storage {
        None => Registry::new(config.schema_conflicts),
        Some(_) => Registry::journaled(config.schema_conflicts),
    };
    let answers = Answers::new(config.keys);
    let ingest = Arc::new(Ingest::new(registry, answers, Arc::clone(&telemetry)));
    let storage = Arc::new(Storage::new(
        config.storage.as_ref().map_or(Duration::MAX, |it| it.write_timeout),
    ));
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Signals first: none is missed from here on.
        let mut signals = Signals::new()?;
        let (shutdown, completion) = shutdown::channel();
        let control = reload::spawn(Arc::clone(&live), web.clone(), Arc::clone(&telemetry))?;
        let starting =
            start::spawn(Arc::clone(&settings), Arc::clone(&ingest), Arc::clone(&storage))?;
        let gate = http::Gate::new(web, Arc::clone(&telemetry));
        let context = http::Context::new(
            Arc::clone(&ingest),
            Arc::clone(&live),
            control.clone(),
            Arc::clone(&telemetry),
            gate,
            Arc::clone(&storage),
        );
        http::spawn(listeners, config, &context, &shutdown)?;
        let mut committer = None;
        let started = select! {
            () = signals.end(&control) => None,
            started = starting => Some(started.unwrap_or(Err(RunError::NotStarted))?),
        };
        if let Some(store) = started {
            storage.start();
            if let (Some(store), Some(config)) = (store, &config.storage) {
                let (ingest, storage) = (Arc::clone(&ingest), Arc::clone(&storage));
                committer = Some(Committer::spawn(ingest, store, storage, config.commit_interval)?);
            }
            // What came for them has waited in the kernel.
            for (socket, transport) in sockets {
                let (ingest, telemetry) = (Arc::clone(&ingest), Arc::clone(&telemetry));
                let (live, shutdown) = (Arc::clone(&live), shutdown.clone());
                datagrams::spawn(socket, transport, ingest, live, telemetry, shutdown)?;
            }
            let rules = Arc::clone(&settings.rules);
            upkeep::spawn(ingest, live, rules, telemetry, shutdown.clone())?;
            tracing::info!(version = version::VERSION, revision = version::REVISION, "ready");
            notify::ready();
            signals.end(&control).await;
        }
        // What is left of it is what the threads hold.
        drop(shutdown);
        end(config, completion, committer, &mut signals).await
    })
}

/// Whether `config` could be run with: what reading it alone does not tell.
pub fn check(config: &Config) -> Result<(), RunError> {
    let web = config.web_config_file.as_deref().map(|path| Web::open(path, |_| {})).transpose()?;
    access::check(config, web.as_ref())?;
    let registry = Registry::new(config.schema_conflicts);
    start::declare_all(config, &Arc::new(config.rules.clone()), &registry)?;
    Ok(())
}

/// Says so if anybody who reaches us from elsewhere may do everything. Sockets say where we listen: flags do
/// not know of those that were passed to us.
fn warn_if_open(config: &Config, web: Option<&Web>, bound: &Bound) -> io::Result<()> {
    let http = bound.listeners.iter().filter_map(|listener| listener.ip().transpose());
    let http = http.collect::<io::Result<Vec<_>>>()?;
    let sockets = bound.sockets.iter().map(|(socket, _)| socket.local_addr());
    let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
    let udp: Vec<_> = sockets.iter().filter_map(SockAddr::as_socket).collect();
    if access::is_open_to_others(config, web, &http, &udp) {
        tracing::warn!(
            "whoever reaches the addresses listened on may push and scrape: say in the section access \
             of -config.file who may, or listen on 127.0.0.1"
        );
    }
    Ok(())
}

/// Reads the file of TLS, users and headers, and has it be known when it changes.
fn open_web(path: &Path, telemetry: &Arc<Telemetry>) -> Result<Arc<Web>, OpenError> {
    let observer = Arc::clone(telemetry);
    let web = Web::open(path, move |reload| match reload {
        Reload::Done => {
            observer.record_web_config();
            tracing::info!("-web.config.file was read again");
        }
        Reload::Failed(error) => {
            observer.record_invalid_web_config();
            tracing::error!(
                error,
                "-web.config.file is invalid: nobody gets in until it is mended"
            );
        }
    })?;
    telemetry.record_web_config();
    Ok(Arc::new(web))
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
    let mut own = config.clone();
    match config.sockets {
        Sockets::Own => {}
        Sockets::Systemd => {
            let passed = socket::passed()?;
            own.http_listen.clear();
            if !passed.udp.is_empty() || !passed.unix.is_empty() {
                own.udp_listen.clear();
                own.unix_listen.clear();
            }
            for socket in passed.streams {
                let listener = http::Listener::adopt(socket, threads)?;
                tracing::info!(transport = "http", address = listener.address()?, "listening");
                listeners.push(listener);
            }
            for socket in passed.udp {
                let bound = udp::adopt(socket, config)?;
                let address = bound.address;
                let receive_buffer_bytes = bound.receive_buffer_bytes;
                tracing::info!(transport = "udp", %address, receive_buffer_bytes, "listening");
                telemetry.watch_udp(address, receive_buffer_bytes, &bound.sockets);
                sockets.extend(bound.sockets.into_iter().map(|it| (it, DatagramTransport::Udp)));
            }
            for socket in passed.unix {
                let address = socket.local_addr()?;
                let path = address.as_pathname().map(|path| path.display().to_string());
                tracing::info!(transport = "unix", address = path, "listening");
                sockets.push((Arc::new(socket), DatagramTransport::Unix));
            }
        }
    }
    let config = &own;
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

/// Ends everything that runs, within the deadline. What was applied by then is written, whatever was cut off.
async fn end(
    config: &Config,
    mut completion: Completion,
    committer: Option<Committer>,
    signals: &mut Signals,
) -> Result<(), RunError> {
    let begun = Instant::now();
    notify::stopping();
    completion.request();
    let drained = select! {
        ended = timeout(config.shutdown_timeout, completion.ended()) => {
            ended.map_err(|_| RunError::CutOff)
        }
        _ = signals.ending() => Err(RunError::SecondSignal),
    };
    if let Some(committer) = committer {
        let left = config.shutdown_timeout.saturating_sub(begun.elapsed());
        let stored = select! {
            ended = timeout(left.max(LAST_COMMIT_WAIT), committer.end()) => {
                ended.map_or(Err(RunError::UnwrittenInTime), |ended| ended.map_err(RunError::Unwritten))
            }
            _ = signals.ending() => Err(RunError::UnwrittenInTime),
        };
        if let (Err(_), Err(error)) = (&drained, &stored) {
            tracing::error!("{error}");
        }
        drained.and(stored)?;
    } else {
        drained?;
    }
    tracing::info!(took = ?begun.elapsed(), "stopped");
    Ok(())
}

/// The signals that we follow.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// A file has become as large as this process may make one: heeded, so that it does not end the process and
    /// the write fails.
    _file_size: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Waits until the end is asked for, and reloads meanwhile.
    async fn end(&mut self, control: &Control) {
        loop {
            select! {
                signal = either(&mut self.terminate, &mut self.interrupt) => {
                    tracing::info!(signal, "shutting down");
                    return;
                }
                () = control.quit_requested() => {
                    tracing::info!(path = "/-/quit", "shutting down");
                    return;
                }
                _ = self.hangup.recv() => {
                    let control = control.clone();
                    // It is logged there how it went.
                    tokio::spawn(async move { control.reload().await.ok() });
                }
            }
        }
    }

    /// Waits for one that ends the process.
    async fn ending(&mut self) -> &'static str {
        either(&mut self.terminate, &mut self.interrupt).await
    }
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
