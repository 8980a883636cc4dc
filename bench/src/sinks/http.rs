//! Requests, read to their end and answered with `ok`: one wait, one read, one write each.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    thread,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use socket2::{Domain, Socket, Type};

use super::tell_ready;
use crate::{
    Result,
    http::{self, Body, Head},
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LAST_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/// Room for one request.
const REQUEST_BYTES: usize = 64 * 1024;

/// Connections that the kernel holds to be accepted.
const BACKLOG: i32 = 1024;

/// The token of the listener; connections count from 0.
const LISTENER: Token = Token(usize::MAX);

/// Answers until it is killed, with one thread.
pub(super) fn answer_all() -> Result<()> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    tell_ready("http", listener.local_addr()?);
    Ok(Responder::new(listener)?.answer_all()?)
}

/// Answers until it is killed, with a thread for each core, each with a listener of its own.
pub(super) fn answer_all_on_threads() -> Result<()> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?;
    for _ in 1..thread::available_parallelism()?.get() {
        let mut responder = Responder::new(listen(address)?)?;
        // Its connections end with it, and the bench with them.
        thread::spawn(move || responder.answer_all());
    }
    tell_ready("http", address);
    Ok(Responder::new(listener)?.answer_all()?)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// A listener and its connections.
struct Responder {
    poll: Poll,
    listener: TcpListener,
    /// By token.
    connections: Vec<Option<Connection>>,
    /// Tokens of those that have ended.
    free: Vec<usize>,
    /// The room that they had.
    rooms: Vec<Box<[u8]>>,
}

struct Connection {
    stream: TcpStream,
    request: Box<[u8]>,
    filled: usize,
}

/// What is to become of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Wait,
    End,
}

impl Responder {
    fn new(mut listener: TcpListener) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (connections, free, rooms) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { poll, listener, connections, free, rooms })
    }

    fn answer_all(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            self.poll.poll(&mut events, None)?;
            for event in &events {
                match event.token() {
                    LISTENER => self.accept_all()?,
                    Token(token) => self.serve(token)?,
                }
            }
        }
    }

    fn accept_all(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let token = self.free.pop().unwrap_or(self.connections.len());
            self.poll.registry().register(&mut stream, Token(token), Interest::READABLE)?;
            let request = self.rooms.pop().unwrap_or_else(|| vec![0; REQUEST_BYTES].into());
            let connection = Some(Connection { stream, request, filled: 0 });
            match self.connections.get_mut(token) {
                Some(place) => *place = connection,
                None => self.connections.push(connection),
            }
        }
    }

    fn serve(&mut self, token: usize) -> io::Result<()> {
        let place = &mut self.connections[token];
        if let Some(connection) = place
            && connection.serve()? == Next::End
            && let Some(ended) = place.take()
        {
            self.rooms.push(ended.request);
            self.free.push(token);
        }
        Ok(())
    }
}

impl Connection {
    /// Reads what is there and answers it if it is a whole request.
    fn serve(&mut self) -> io::Result<Next> {
        match self.stream.read(&mut self.request[self.filled..]) {
            Ok(0) => return Ok(Next::End),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Next::Wait),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(Next::End),
            Err(error) => return Err(error),
        }
        match http::head(&self.request[..self.filled]) {
            Some(Head { bytes, body: Body::Bytes(body), closes })
                if self.filled >= bytes + body =>
            {
                self.filled = 0;
                self.stream.write_all(if closes { LAST_ANSWER } else { ANSWER })?;
                Ok(if closes { Next::End } else { Next::Wait })
            }
            Some(_) | None => Ok(Next::Wait),
        }
    }
}
