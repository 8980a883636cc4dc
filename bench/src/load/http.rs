//! Requests over keep-alive connections, one outstanding on each.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream as StdTcpStream},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{Result, http, target::PATIENCE};

/// Room for one answer.
const ANSWER_BYTES: usize = 4096;

/// The connections, and what goes over them.
pub(crate) struct Requester {
    poll: Poll,
    connections: Vec<Connection>,
    /// Whole requests, sent in turn.
    requests: Vec<Vec<u8>>,
    next: usize,
}

struct Connection {
    stream: TcpStream,
    answer: [u8; ANSWER_BYTES],
    filled: usize,
    sent_at: Instant,
}

impl Requester {
    /// Opens `connections`; they push `deltas`, one per request, in turn.
    pub(crate) fn connect(
        address: SocketAddr,
        connections: usize,
        deltas: &[Vec<u8>],
    ) -> Result<Self> {
        let poll = Poll::new()?;
        let open = |token| {
            let stream = StdTcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(token), Interest::READABLE)?;
            let (answer, sent_at) = ([0; ANSWER_BYTES], Instant::now());
            Ok(Connection { stream, answer, filled: 0, sent_at })
        };
        let connections = (0..connections).map(open).collect::<Result<_>>()?;
        let requests = deltas.iter().map(|delta| http::push_request(delta)).collect();
        Ok(Self { poll, connections, requests, next: 0 })
    }

    /// Keeps all connections busy for `duration`; returns the nanoseconds that each request took, once
    /// all are answered.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Vec<u64>> {
        let mut events = Events::with_capacity(self.connections.len());
        let mut latencies = Vec::new();
        let begun = Instant::now();
        for connection in 0..self.connections.len() {
            self.send(connection)?;
        }
        let mut outstanding = self.connections.len();
        while outstanding > 0 {
            self.poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err("no answer came".into());
            }
            for event in &events {
                let Token(connection) = event.token();
                let Some(latency) = self.connections[connection].receive()? else { continue };
                latencies.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
                if begun.elapsed() < duration {
                    self.send(connection)?;
                } else {
                    outstanding -= 1;
                }
            }
        }
        Ok(latencies)
    }

    fn send(&mut self, connection: usize) -> Result<()> {
        let connection = &mut self.connections[connection];
        connection.sent_at = Instant::now();
        // A request is far smaller than the empty buffer of its socket: it goes in whole.
        connection.stream.write_all(&self.requests[self.next])?;
        self.next = (self.next + 1) % self.requests.len();
        Ok(())
    }
}

impl Connection {
    /// Reads what is there; returns how long the answer took if it is complete.
    fn receive(&mut self) -> Result<Option<Duration>> {
        match self.stream.read(&mut self.answer[self.filled..]) {
            Ok(0) => return Err("a connection ended before its answer".into()),
            Ok(read) => self.filled += read,
            // What this event tells of came with the last read.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let answer = &self.answer[..self.filled];
        if http::lengths(answer).is_none_or(|lengths| answer.len() < lengths.message()) {
            return Ok(None);
        }
        http::check_is_ok(answer)?;
        self.filled = 0;
        Ok(Some(self.sent_at.elapsed()))
    }
}
