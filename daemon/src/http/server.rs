//! Sockets, threads, connections, deadlines.

use std::{
    convert::Infallible,
    fs,
    future::poll_fn,
    io, iter,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    thread,
    time::Duration,
};

use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::{runtime, select, sync::mpsc, time};

use super::{
    Context, api,
    connections::{Connection, Connections, Order, TICK, Timeouts},
    handshake::{self, HandshakeError, Protocol},
    listener::{Accepted, Listener, Peer, Remote, Share},
    pages::MAKING_MAX,
    reply::Reply,
    respond,
    stream::Stream,
};
use crate::{
    clock,
    config::{AdminApi, Config},
    log::Sampler,
    shutdown::Shutdown,
    telemetry::{HandshakeFailure, Telemetry},
    web::Web,
};

/// Bytes of the buffer that a connection reads a request's header into. Beyond: 431. It is looked at
/// between reads, so that somewhat longer headers pass.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// File descriptors that are neither open at the start nor connections: /proc above all.
const OTHER_FILES: usize = 64;

/// File descriptors of a serving thread: of its runtime, and of what wakes it.
const FILES_PER_THREAD: usize = 4;

/// How long accepting rests after an error that is not a peer's doing, such as too many open files.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// How often a thread looks whether it remembers series that are gone.
const FORGET_INTERVAL: Duration = Duration::from_secs(1);

/// How long requests that are on their way at shutdown may take to arrive.
const LAST_REQUEST_WAIT: Duration = Duration::from_millis(200);

/// Threads for what takes long, per serving thread: one for each page being made, one that gives their
/// memory back, one that compares passwords, and one that makes lists of the API.
const SLOW_THREADS_MAX: usize = MAKING_MAX + 3;

/// Requests on their way at once over a connection of HTTP/2. A client opens no more until some are answered.
const STREAMS_MAX: u32 = 32;

/// Bytes that a client of HTTP/2 may send of a body, and of all bodies of its connection, before we have
/// read them.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// Bytes of an answer that HTTP/2 holds before they go to the kernel.
const SEND_BUFFER_BYTES: usize = 256 * 1024;

/// Requests of a connection of HTTP/2 that were broken off before we looked at them; and those that we have
/// broken off, because they were wrong. Beyond, the connection is closed.
const RESET_STREAMS_MAX: usize = 20;
const WRONG_STREAMS_MAX: usize = 64;

/// How often a silent client of HTTP/2 that waits for an answer is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How many threads serve: one per core.
pub fn threads() -> io::Result<usize> {
    Ok(thread::available_parallelism()?.get())
}

/// Starts the serving threads, as many as the listeners were bound for. They stop accepting when `shutdown`
/// is requested and end when their connections have. Has to be called on a runtime, which watches the
/// deadlines.
pub fn spawn(
    listeners: Vec<Listener>,
    config: &Config,
    context: &Context,
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
    let timeouts = Timeouts {
        header: config.header_timeout,
        body: config.body_timeout,
        write: config.write_timeout,
    };
    let connections = Connections::new(config.connections_max.min(files), timeouts);
    tokio::spawn(watch(Arc::clone(&connections), shutdown.clone()));
    match config.admin_api {
        AdminApi::Off => {}
        AdminApi::On => drop(tokio::spawn(api::watch(Arc::new(context.for_another_thread())))),
    }
    let mut listeners: Vec<_> = listeners.into_iter().map(Listener::shares).collect();
    loop {
        let shares: Vec<Share> = listeners.iter_mut().filter_map(Iterator::next).collect();
        if shares.is_empty() {
            return Ok(());
        }
        let worker = Worker {
            context: Arc::new(context.for_another_thread()),
            connections: Arc::clone(&connections),
            shutdown: shutdown.clone(),
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(SLOW_THREADS_MAX)
            .build()?;
        let serve = move || runtime.block_on(worker.serve(shares));
        thread::Builder::new().name("http".to_owned()).spawn(serve)?;
    }
}

/// Watches the deadlines of all connections; at shutdown, tells them to end.
async fn watch(connections: Arc<Connections>, mut shutdown: Shutdown) {
    let mut ticks = time::interval(TICK);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        select! {
            () = shutdown.requested() => break,
            _ = ticks.tick() => connections.tick(),
        }
    }
    drop(shutdown);
    // What is on its way may arrive. Half a header would hold up the end for as long as its sender likes.
    time::sleep(LAST_REQUEST_WAIT).await;
    connections.finish_all();
    loop {
        ticks.tick().await;
        connections.tick();
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
    shutdown: Shutdown,
}

impl Worker {
    async fn serve(self, shares: Vec<Share>) {
        let _running = self.shutdown.clone();
        // Held by all connections of this thread; nothing is ever sent.
        let (open, mut ended) = mpsc::channel(1);
        let context = Arc::clone(&self.context);
        let accepting: Vec<_> = shares
            .into_iter()
            .zip(iter::repeat((self, open)))
            .map(|(share, (worker, open))| tokio::spawn(worker.accept_all(share, open)))
            .collect();
        tokio::spawn(forget_gone(Arc::clone(&context)));
        for listener in accepting {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener ended");
            }
        }
        ended.recv().await;
    }

    /// Accepts until shutdown.
    async fn accept_all(self, share: Share, open: mpsc::Sender<Infallible>) {
        let listener = match share.watch() {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "could not watch a listening socket");
                return;
            }
        };
        let mut shutdown = self.shutdown.clone();
        loop {
            let accepted = select! {
                () = shutdown.requested() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.serve_connection(stream, peer, open.clone()),
                Err(error) => rest_after(&error, &self.context.telemetry).await,
            }
        }
        // What the kernel has accepted by now was sent before the end.
        while let Ok(Ok((stream, peer))) = time::timeout(Duration::ZERO, listener.accept()).await {
            self.serve_connection(stream, peer, open.clone());
        }
    }

    fn serve_connection(&self, accepted: Accepted, peer: Peer, open: mpsc::Sender<Infallible>) {
        let connection = self.connections.admit_from(peer.client());
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            let _open = (open, context.telemetry.connection());
            let ended = match context.gate.tls() {
                None => {
                    let stream = Stream::new(accepted, Arc::clone(&connection));
                    serve_http1(stream, Remote { peer, names: None }, &context, &connection).await
                }
                // Most connections are plain, and shall not be larger for it.
                Some(web) => Box::pin(serve_tls(accepted, peer, web, &context, &connection)).await,
            };
            match ended {
                Ended::Served(Ok(())) | Ended::Left => {}
                Ended::Served(Err(error)) => complain(&error, peer, &context.telemetry),
                Ended::Yielded => context.telemetry.record_eviction(),
            }
        });
    }
}

/// Gives up what a thread remembers of series that are gone, though it gets no requests.
async fn forget_gone(context: Arc<Context>) {
    let mut ticks = time::interval(FORGET_INTERVAL);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        context.intake.lock().forget_gone(context.ingest.registry());
    }
}

async fn serve_tls(
    accepted: Accepted,
    peer: Peer,
    web: &Web,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Ended<hyper::Result<()>> {
    let telemetry = &context.telemetry;
    let secured = match obey(connection, handshake::secure(accepted, web), |_| {}).await {
        Ended::Served(Ok(secured)) => secured,
        Ended::Served(Err(error)) => {
            complain_of_handshake(&error, peer, telemetry);
            return Ended::Left;
        }
        Ended::Left => {
            telemetry.record_handshake_failure(HandshakeFailure::Timeout);
            return Ended::Left;
        }
        Ended::Yielded => return Ended::Yielded,
    };
    let remote = Remote { peer, names: secured.names };
    let stream = Stream::tls(secured.stream, Arc::clone(connection));
    match secured.protocol {
        Protocol::Http1 => serve_http1(stream, remote, context, connection).await,
        Protocol::Http2 => serve_http2(stream, remote, context, connection).await,
    }
}

async fn serve_http1(
    stream: Stream,
    remote: Remote,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Ended<hyper::Result<()>> {
    let served = http1::Builder::new()
        // `Connections` watches this, for all of them together.
        .header_read_timeout(None)
        .max_buf_size(HEADER_BYTES_MAX)
        // The number of headers is bounded by 100, which it reads without an allocation.
        .half_close(true)
        .serve_connection(stream, service(remote, context, connection));
    obey(connection, served, http1::Connection::graceful_shutdown).await
}

async fn serve_http2(
    stream: Stream,
    remote: Remote,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Ended<hyper::Result<()>> {
    connection.set_multiplexed();
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(WRONG_STREAMS_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(connection.timeouts().write)
        .serve_connection(stream, service(remote, context, connection));
    obey(connection, served, http2::Connection::graceful_shutdown).await
}

/// Answers the requests of a connection.
fn service(
    remote: Remote,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> impl Service<Request<Incoming>, Response = Reply, Error = Infallible, Future: Send + 'static> + use<>
{
    let (context, connection) = (Arc::clone(context), Arc::clone(connection));
    let remote = Arc::new(remote);
    service_fn(move |request| {
        let (context, connection) = (Arc::clone(&context), Arc::clone(&connection));
        let remote = Arc::clone(&remote);
        async move { Ok(respond(request, &context, &connection, &remote).await) }
    })
}

/// How a connection ended, or what there was before it.
enum Ended<T> {
    /// By itself, or by its peer.
    Served(T),
    /// It was told to go.
    Left,
    /// It was told to make room.
    Yielded,
}

/// Serves a connection until its end, or until it is told to go; `finish` has it end with the answers to the
/// requests that have begun.
async fn obey<F: Future>(
    connection: &Connection,
    served: F,
    finish: impl Fn(Pin<&mut F>),
) -> Ended<F::Output> {
    let mut served = pin!(served);
    let mut is_finishing = false;
    poll_fn(|context| {
        match connection.order(context) {
            Order::Stay => {}
            Order::Finish if is_finishing => {}
            Order::Finish => {
                finish(served.as_mut());
                is_finishing = true;
            }
            Order::Leave => return Poll::Ready(Ended::Left),
            Order::Yield => return Poll::Ready(Ended::Yielded),
        }
        served.as_mut().poll(context).map(Ended::Served)
    })
    .await
}

/// After a handshake that failed.
fn complain_of_handshake(error: &HandshakeError, peer: Peer, telemetry: &Telemetry) {
    static OF_PEERS: Sampler = Sampler::new();
    static OURS: Sampler = Sampler::new();
    let second = clock::now().0 / 1000;
    match error {
        HandshakeError::Peer(_) | HandshakeError::NoTls => {
            telemetry.record_handshake_failure(HandshakeFailure::Peer);
            if let Some(suppressed) = OF_PEERS.admit(second) {
                tracing::debug!(%peer, %error, suppressed, "a handshake failed");
            }
        }
        HandshakeError::Refused(_) => {
            telemetry.record_handshake_failure(HandshakeFailure::WebConfig);
            if let Some(suppressed) = OURS.admit(second) {
                tracing::error!(%peer, %error, suppressed, "a handshake was refused");
            }
        }
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
