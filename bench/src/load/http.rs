//! Requests as fast as they are answered: one outstanding on each of some connections.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream as StdTcpStream},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    Result,
    http::{self, Connections},
    target::PATIENCE,
};

/// Room for one answer.
const ANSWER_BYTES: usize = 4096;

/// The connections, and what goes over them.
pub(crate) struct Requester {
    poll: Poll,
    address: SocketAddr,
    kind: Connections,
    connections: Vec<Connection>,
    /// Whole requests, sent in turn.
    requests: Vec<Vec<u8>>,
    next: usize,
}

struct Connection {
    stream: TcpStream,
    answer: [u8; ANSWER_BYTES],
    filled: usize,
    begun: Instant,
    /// How long the answer took, where it has come and the end of the connection has not.
    took: Option<Duration>,
    /// Whether a request is under way. The kernel may tell of an end that has been seen already.
    is_busy: bool,
}

impl Requester {
    /// Opens `count` connections; they send these whole requests in turn.
    pub(crate) fn connect(
        address: SocketAddr,
        kind: Connections,
        count: usize,
        requests: Vec<Vec<u8>>,
    ) -> Result<Self> {
        let (poll, connections) = (Poll::new()?, Vec::new());
        let mut requester = Self { poll, address, kind, connections, requests, next: 0 };
        for place in 0..count {
            let stream = requester.open(Token(place))?;
            let (answer, begun) = ([0; ANSWER_BYTES], Instant::now());
            let (took, is_busy) = (None, false);
            requester.connections.push(Connection {
                stream,
                answer,
                filled: 0,
                begun,
                took,
                is_busy,
            });
        }
        Ok(requester)
    }

    fn open(&self, token: Token) -> Result<TcpStream> {
        // Over loopback the handshake is done when this returns.
        let stream = StdTcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
        Ok(stream)
    }

    /// Keeps all connections busy for `duration`; returns the nanoseconds that each request took, once
    /// all are answered. A connection that is opened for a request is part of it.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Vec<u64>> {
        let mut events = Events::with_capacity(self.connections.len());
        let mut latencies = Vec::new();
        let begun = Instant::now();
        for place in 0..self.connections.len() {
            self.send(place)?;
        }
        let mut outstanding = self.connections.len();
        while outstanding > 0 {
            self.poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err("no answer came".into());
            }
            for event in &events {
                let Token(place) = event.token();
                let connection = &mut self.connections[place];
                if !connection.is_busy {
                    continue;
                }
                let Some(latency) = connection.receive(self.kind)? else { continue };
                connection.is_busy = false;
                latencies.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
                if begun.elapsed() < duration {
                    self.send(place)?;
                } else {
                    outstanding -= 1;
                }
            }
        }
        Ok(latencies)
    }

    fn send(&mut self, place: usize) -> Result<()> {
        let begun = Instant::now();
        if self.kind == Connections::OfOneRequest {
            self.connections[place].stream = self.open(Token(place))?;
        }
        let connection = &mut self.connections[place];
        (connection.begun, connection.is_busy) = (begun, true);
        // A request is smaller than the empty buffer of its socket: it goes in whole.
        connection.stream.write_all(&self.requests[self.next])?;
        self.next = (self.next + 1) % self.requests.len();
        Ok(())
    }
}

impl Connection {
    /// Reads what is there; returns how long the answer took once it is complete, and the connection at
    /// its end where it has one.
    fn receive(&mut self, kind: Connections) -> Result<Option<Duration>> {
        loop {
            match self.stream.read(&mut self.answer[self.filled..]) {
                Ok(0) => {
                    let took = self.took.take().ok_or("a connection ended before its answer")?;
                    self.filled = 0;
                    return Ok(Some(took));
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            let answer = &self.answer[..self.filled];
            if !http::is_whole(answer) {
                continue;
            }
            http::check_is_ok(answer)?;
            let took = self.begun.elapsed();
            match kind {
                Connections::Kept => {
                    self.filled = 0;
                    return Ok(Some(took));
                }
                Connections::OfOneRequest => self.took = Some(took),
            }
        }
    }
}
