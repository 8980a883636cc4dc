//! JSON syntax as Go's scanner sees it, without building anything.

use super::{MessageError, SyntaxProblem};
use crate::limits::NESTING_MAX;

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self::at(message, 0)
    }

    /// A place that many bytes after the start.
    pub(super) const fn at(message: &'a [u8], at: usize) -> Self {
        Self { message, at }
    }

    /// Bytes from the start of the message to here.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// What follows from here on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.message.get(self.at..).unwrap_or_default()
    }

    /// The byte here, if the message does not end.
    pub(super) fn peek(&self) -> Option<u8> {
        self.message.get(self.at).copied()
    }

    /// Steps over one byte.
    pub(super) fn step(&mut self) {
        self.at += 1;
    }

    /// Steps over so many bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Steps over white space.
    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.step();
        }
    }

    /// Steps over white space and `byte`, if that is what follows.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        if found {
            self.step();
        }
        found
    }

    /// What lies between an earlier place and this one.
    pub(super) fn since(&self, earlier: &Self) -> &'a [u8] {
        self.message.get(earlier.at..self.at).unwrap_or_default()
    }

    /// The complaint that something else than `wanted` stands here.
    pub(super) fn unexpected(&self, wanted: &'static str) -> MessageError {
        let problem = match self.peek() {
            Some(found) => SyntaxProblem::Unexpected { found, wanted },
            None => SyntaxProblem::UnexpectedEnd,
        };
        MessageError::Syntax { at: self.at, problem }
    }

    /// Steps over one whole value of any kind, `depth` levels of nesting being open around it. It
    /// keeps its own stack: nesting costs a byte a level, not a call.
    pub(super) fn skip_value(&mut self, depth: usize) -> Result<(), MessageError> {
        let mut open: Vec<Container> = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'{') => {
                    self.open(Container::Object, &mut open, depth)?;
                    if !self.take(b'}') {
                        self.skip_key()?;
                        continue;
                    }
                    open.pop();
                }
                Some(b'[') => {
                    self.open(Container::Array, &mut open, depth)?;
                    if !self.take(b']') {
                        continue;
                    }
                    open.pop();
                }
                _ => self.skip_scalar()?,
            }
            // A value has ended; so may the containers that it was the last of.
            loop {
                match open.last() {
                    None => return Ok(()),
                    Some(Container::Object) => {
                        if self.take(b',') {
                            self.skip_space();
                            self.skip_key()?;
                            break;
                        }
                        if !self.take(b'}') {
                            return Err(self.unexpected("',' or '}' after a value of an object"));
                        }
                    }
                    Some(Container::Array) => {
                        if self.take(b',') {
                            break;
                        }
                        if !self.take(b']') {
                            return Err(self.unexpected("',' or ']' after an element of an array"));
                        }
                    }
                }
                open.pop();
            }
        }
    }

    fn open(
        &mut self,
        container: Container,
        open: &mut Vec<Container>,
        depth: usize,
    ) -> Result<(), MessageError> {
        if depth + open.len() >= NESTING_MAX {
            return Err(MessageError::Syntax { at: self.at, problem: SyntaxProblem::TooDeep });
        }
        open.push(container);
        self.step();
        Ok(())
    }

    fn skip_key(&mut self) -> Result<(), MessageError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        self.skip_string()?;
        if self.take(b':') { Ok(()) } else { Err(self.unexpected("':' after a key")) }
    }

    fn skip_scalar(&mut self) -> Result<(), MessageError> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            Some(b't') => self.skip_word("true"),
            Some(b'f') => self.skip_word("false"),
            Some(b'n') => self.skip_word("null"),
            Some(_) | None => Err(self.unexpected("a value")),
        }
    }

    pub(super) fn skip_word(&mut self, word: &'static str) -> Result<(), MessageError> {
        for byte in word.bytes() {
            if self.peek() != Some(byte) {
                return Err(self.unexpected(word));
            }
            self.step();
        }
        Ok(())
    }

    /// Steps over a string whose opening quote stands here.
    pub(super) fn skip_string(&mut self) -> Result<(), MessageError> {
        self.step();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.step();
                    return Ok(());
                }
                Some(b'\\') => {
                    self.step();
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.step(),
                        Some(b'u') => {
                            self.step();
                            for _ in 0..4 {
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(self.unexpected("four hexadecimal digits"));
                                }
                                self.step();
                            }
                        }
                        Some(_) | None => return Err(self.unexpected("an escape of JSON")),
                    }
                }
                Some(0x20..) => self.step(),
                Some(_) | None => {
                    return Err(self.unexpected("an escape instead of a control character"));
                }
            }
        }
    }

    pub(super) fn skip_number(&mut self) -> Result<(), MessageError> {
        if self.peek() == Some(b'-') {
            self.step();
        }
        if self.peek() == Some(b'0') {
            self.step();
        } else {
            self.skip_digits()?;
        }
        if self.peek() == Some(b'.') {
            self.step();
            self.skip_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.step();
            }
            self.skip_digits()?;
        }
        Ok(())
    }

    fn skip_digits(&mut self) -> Result<(), MessageError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Container {
    Object,
    Array,
}
