//! Sockets, threads, connections, deadlines.

use std::{convert::Infallible, fs, future, io, iter, sync::Arc, thread, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioTimer, server::graceful::GracefulShutdown};
use tokio::{runtime, select, time};

use super::{
    Context,
    connections::Connections,
    listener::{Accepted, Listener, Peer, Share},
    pages::Coding,
    respond,
    stream::Stream,
};
use crate::{clock, config::Config, log::Sampler, shutdown::Shutdown, telemetry::Telemetry};

/// Bytes of the buffer that a connection reads a request's header into. Beyond: 431. It is looked at
/// between reads, so that somewhat longer headers pass.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Headers of a request. Beyond: 431.
const HEADERS_MAX: usize = 128;

/// File descriptors that are neither open at the start nor connections: /proc above all.
const OTHER_FILES: usize = 64;

/// File descriptors of a serving thread: of its runtime, and of what wakes it.
const FILES_PER_THREAD: usize = 4;

/// How long accepting rests after an error that is not a peer's doing, such as too many open files.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// How long requests that are on their way at shutdown may take to arrive.
const LAST_REQUEST_WAIT: Duration = Duration::from_millis(200);

/// Threads that make pages, per serving thread: one for each coding.
const PAGE_THREADS_MAX: usize = Coding::ALL.len();

/// How many threads serve: one per core.
pub fn threads() -> io::Result<usize> {
    Ok(thread::available_parallelism()?.get())
}

/// Starts the serving threads, as many as the listeners were bound for. They stop accepting when `shutdown` is requested and end when their
/// connections have.
pub fn spawn(
    listeners: Vec<Listener>,
    config: &Config,
    context: &Arc<Context>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let files = files_for_connections()?;
    if files < config.connections_max {
        let wanted = config.connections_max;
        tracing::warn!(
            files,
            wanted,
            "the limit of open files allows fewer connections than asked for"
        );
    }
    let connections = Connections::new(config.connections_max.min(files));
    let mut listeners: Vec<_> = listeners.into_iter().map(Listener::shares).collect();
    loop {
        let shares: Vec<Share> = listeners.iter_mut().filter_map(Iterator::next).collect();
        if shares.is_empty() {
            return Ok(());
        }
        let worker = Worker {
            context: Arc::clone(context),
            connections: Arc::clone(&connections),
            header_timeout: config.header_timeout,
            write_timeout: config.write_timeout,
            shutdown: shutdown.clone(),
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(PAGE_THREADS_MAX)
            .build()?;
        let serve = move || runtime.block_on(worker.serve(shares));
        thread::Builder::new().name("http".to_owned()).spawn(serve)?;
    }
}

/// Raises the soft limit of open files to the hard one and says how many may be connections. The sockets
/// that listen are open by now.
fn files_for_connections() -> io::Result<usize> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "could not raise the limit of open files");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    // Where /proc is missing they are few enough to fit into the rest.
    let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let others = OTHER_FILES + open + FILES_PER_THREAD * threads()?;
    Ok(files.saturating_sub(others).max(1))
}

/// What a serving thread needs.
#[derive(Clone)]
struct Worker {
    context: Arc<Context>,
    connections: Arc<Connections>,
    header_timeout: Duration,
    write_timeout: Duration,
    shutdown: Shutdown,
}

impl Worker {
    async fn serve(self, shares: Vec<Share>) {
        let accepting: Vec<_> = shares
            .into_iter()
            .zip(iter::repeat(self))
            .map(|(share, worker)| tokio::spawn(worker.accept_all(share)))
            .collect();
        for listener in accepting {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener ended");
            }
        }
    }

    /// Accepts until shutdown, then waits for the connections to end.
    async fn accept_all(self, share: Share) {
        let listener = match share.watch() {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "could not watch a listening socket");
                return;
            }
        };
        let graceful = GracefulShutdown::new();
        let mut shutdown = self.shutdown.clone();
        loop {
            let accepted = select! {
                () = shutdown.requested() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.serve_connection(stream, peer, &graceful),
                Err(error) => rest_after(&error, &self.context.telemetry).await,
            }
        }
        // What the kernel has accepted by now was sent before the end.
        while let Ok(Ok((stream, peer))) = time::timeout(Duration::ZERO, listener.accept()).await {
            self.serve_connection(stream, peer, &graceful);
        }
        drop(listener);
        time::sleep(LAST_REQUEST_WAIT).await;
        graceful.shutdown().await;
    }

    fn serve_connection(&self, stream: Accepted, peer: Peer, graceful: &GracefulShutdown) {
        let connection = self.connections.admit();
        let stream = Stream::new(stream, Arc::clone(&connection), self.write_timeout);
        let (context, telemetry) = (Arc::clone(&self.context), Arc::clone(&self.context.telemetry));
        let asked = Arc::clone(&connection);
        let service = service_fn(move |request| {
            let (context, connection) = (Arc::clone(&context), Arc::clone(&asked));
            async move { Ok::<_, Infallible>(respond(request, &context, &connection).await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(HEADER_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .half_close(true)
            .serve_connection(stream, service);
        let served = graceful.watch(served);
        let mut shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            let _open = telemetry.connection();
            // Half a header would hold up the end for as long as its sender likes.
            let cut_off = async {
                shutdown.requested().await;
                time::sleep(LAST_REQUEST_WAIT).await;
                if connection.is_busy() {
                    future::pending::<()>().await;
                }
            };
            select! {
                served = served => {
                    if let Err(error) = served {
                        complain(&error, peer, &telemetry);
                    }
                }
                () = connection.evicted() => telemetry.record_eviction(),
                () = cut_off => {}
            }
        });
    }
}

/// After a connection that ended with an error: its peer broke it off, took too long, or sent what is no
/// request, which has been answered by its status alone.
fn complain(error: &hyper::Error, peer: Peer, telemetry: &Telemetry) {
    static SAMPLER: Sampler = Sampler::new();
    if error.is_parse() {
        telemetry.record_malformed_request();
    }
    if let Some(suppressed) = SAMPLER.admit(clock::now().0 / 1000) {
        tracing::debug!(%peer, %error, suppressed, "a connection ended with an error");
    }
}

/// After a failed accept. What failed in one connection is over; a lack of resources is waited out.
async fn rest_after(error: &io::Error, telemetry: &Telemetry) {
    static SAMPLER: Sampler = Sampler::new();
    telemetry.record_accept_error();
    let is_peers_doing = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    );
    if is_peers_doing {
        return;
    }
    if let Some(suppressed) = SAMPLER.admit(clock::now().0 / 1000) {
        tracing::warn!(%error, suppressed, "accepting a connection failed");
    }
    time::sleep(ERROR_PAUSE).await;
}
