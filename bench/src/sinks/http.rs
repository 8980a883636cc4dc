//! Requests, read to their end and answered with `ok`: one wait, one read, one write each.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::Ipv4Addr,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use super::tell_ready;
use crate::{Result, http};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Room for one request.
const REQUEST_BYTES: usize = 64 * 1024;

/// The token of the listener; connections count from 0.
const LISTENER: Token = Token(usize::MAX);

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    filled: usize,
}

/// Answers until it is killed.
pub(super) fn answer_all() -> Result<()> {
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    tell_ready("http", listener.local_addr()?);
    let mut events = Events::with_capacity(1024);
    // Closed ones leave their place empty: the bench opens a few dozen in all.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => accept_all(&listener, &poll, &mut connections)?,
                Token(token) => {
                    let place = &mut connections[token];
                    if let Some(connection) = place
                        && !connection.is_served()?
                    {
                        *place = None;
                    }
                }
            }
        }
    }
}

fn accept_all(
    listener: &TcpListener,
    poll: &Poll,
    connections: &mut Vec<Option<Connection>>,
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        poll.registry().register(&mut stream, Token(connections.len()), Interest::READABLE)?;
        connections.push(Some(Connection { stream, request: vec![0; REQUEST_BYTES], filled: 0 }));
    }
}

impl Connection {
    /// Reads what is there and answers it if it is a whole request; false at the connection's end.
    fn is_served(&mut self) -> Result<bool> {
        match self.stream.read(&mut self.request[self.filled..]) {
            Ok(0) => return Ok(false),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let request = &self.request[..self.filled];
        if http::lengths(request).is_some_and(|lengths| request.len() >= lengths.message()) {
            self.stream.write_all(ANSWER)?;
            self.filled = 0;
        }
        Ok(true)
    }
}
