//! The application: everything bound, then everything started, then the wait for the end.

use std::{io, net::TcpListener, panic, sync::Arc, time::Instant};

use pushprom_core::registry::Registry;
use socket2::Socket;
use tokio::{
    runtime, select,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use crate::{
    config::{Address, Config},
    http,
    ingest::{Ingest, datagrams, udp},
    shutdown::{self, Completion},
    telemetry::Telemetry,
    version,
};

/// Why the application did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address could not be bound.
    #[error("cannot listen for {transport} on {address}: {error}{remedy}")]
    Bind {
        /// HTTP or UDP.
        transport: &'static str,
        /// The address.
        address: Address,
        /// What the kernel said.
        error: io::Error,
        /// What to do about it, where we know.
        remedy: &'static str,
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
pub fn run(config: &Config) -> Result<(), RunError> {
    let telemetry = Arc::new(Telemetry::default());
    report_panics(&telemetry);
    let (listeners, sockets) = bind_all(config, &telemetry)?;
    let registry = Registry::new(config.schema_conflicts, &config.limits);
    let ingest = Arc::new(Ingest::new(registry, config.limits, Arc::clone(&telemetry)));
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Signals first: none is missed from here on.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (shutdown, completion) = shutdown::channel();
        for socket in sockets {
            let (ingest, telemetry) = (Arc::clone(&ingest), Arc::clone(&telemetry));
            datagrams::spawn(socket, ingest, telemetry, shutdown.clone())?;
        }
        let context = http::Context::new(ingest, telemetry, config.body_timeout);
        http::spawn(&listeners, config, &context, &shutdown)?;
        // The serving threads have their own handles; these would keep the port open after them.
        drop((listeners, shutdown));
        tracing::info!(version = version::VERSION, revision = version::REVISION, "ready");
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "shutting down");
        drain(config, completion, &mut terminate, &mut interrupt).await
    })
}

/// Binds every address, or none.
fn bind_all(
    config: &Config,
    telemetry: &Telemetry,
) -> Result<(Vec<TcpListener>, Vec<Arc<Socket>>), RunError> {
    let mut listeners = Vec::new();
    for address in &config.http_listen {
        let remedy = match address.socket.port() {
            9091 => "; 9091 is also the Pushgateway's port, see -http-listen-address",
            _ => "; see -http-listen-address",
        };
        let listener = http::bind(address).map_err(bind_error("http", *address, remedy))?;
        tracing::info!(transport = "http", address = %listener.local_addr()?, "listening");
        listeners.push(listener);
    }
    let mut sockets = Vec::new();
    for address in &config.udp_listen {
        let remedy = "; see -udp-listen-address";
        let bound = udp::bind(address, config).map_err(bind_error("udp", *address, remedy))?;
        let (address, receive_buffer_bytes) = (bound.address, bound.receive_buffer_bytes);
        tracing::info!(transport = "udp", %address, receive_buffer_bytes, "listening");
        telemetry.watch_udp(address, receive_buffer_bytes, &bound.sockets);
        sockets.extend(bound.sockets);
    }
    Ok((listeners, sockets))
}

fn bind_error(
    transport: &'static str,
    address: Address,
    remedy: &'static str,
) -> impl Fn(io::Error) -> RunError {
    move |error| {
        let in_use = error.kind() == io::ErrorKind::AddrInUse;
        RunError::Bind { transport, address, error, remedy: if in_use { remedy } else { "" } }
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
