//! Where a message goes: to a page, or to a count of its bytes. One function serves both, since the length
//! of a family has to be known before its first byte is written: the page may be taken away piece by piece.

/// Takes the pieces of messages.
pub(super) trait Sink: Default {
    /// Takes bytes as they are.
    fn put(&mut self, bytes: &[u8]);

    /// Takes all that another one holds.
    fn append(&mut self, other: &Self);

    /// How many bytes there are.
    fn len(&self) -> usize;

    /// Forgets all but so many bytes.
    fn truncate(&mut self, len: usize);

    /// Puts bytes in the place of as many others.
    fn replace(&mut self, start: usize, bytes: &[u8]);

    /// Begins what has its length before it.
    fn begin(&mut self) -> Begun;

    /// Ends it.
    fn end(&mut self, begun: Begun);

    /// Takes a number in as few bytes as it needs.
    fn varint(&mut self, mut number: u64) {
        let mut bytes = [0; VARINT_BYTES_MAX];
        let mut len = 0;
        for byte in &mut bytes {
            len += 1;
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                *byte = low;
                break;
            }
            *byte = low | 0x80;
        }
        self.put(bytes.get(..len).unwrap_or_default());
    }

    /// Takes a field that is a number.
    fn number(&mut self, field: u8, number: u64) {
        self.put(&[field << 3]);
        self.varint(number);
    }

    /// Takes a field that is a number with a sign: those near zero are short.
    fn signed(&mut self, field: u8, number: i64) {
        self.number(field, zigzag(number));
    }

    /// Takes a field that is a float.
    fn double(&mut self, field: u8, value: f64) {
        self.put(&[field << 3 | 1]);
        self.put(&value.to_le_bytes());
    }

    /// Takes a field that is a text.
    fn text(&mut self, field: u8, text: &str) {
        self.head(field, text.len());
        self.put(text.as_bytes());
    }

    /// Takes what begins a field that has so many bytes.
    fn head(&mut self, field: u8, len: usize) {
        let tag = field << 3 | 2;
        match u8::try_from(len) {
            Ok(short) if short < 0x80 => self.put(&[tag, short]),
            Ok(_) | Err(_) => {
                self.put(&[tag]);
                self.varint(u64::try_from(len).unwrap_or(u64::MAX));
            }
        }
    }

    /// Takes a field that is a message, or numbers in a row.
    fn message(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        self.varint(u64::from(field) << 3 | 2);
        let begun = self.begin();
        write(self);
        self.end(begun);
    }
}

/// Where something begins that has its length before it.
pub(super) struct Begun(usize);

/// Of a number of 64 bits, seven in each.
const VARINT_BYTES_MAX: usize = 10;

/// Numbers of either sign as such without: 0, -1, 1, -2, and so on.
pub(super) fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// How many bytes a number takes, if they are more than one.
fn more_bytes(number: usize) -> usize {
    usize::try_from(number.checked_ilog2().unwrap_or_default() / 7).unwrap_or_default()
}

/// Counts bytes.
#[derive(Default)]
pub(super) struct Count(usize);

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn append(&mut self, other: &Self) {
        self.0 += other.0;
    }

    fn len(&self) -> usize {
        self.0
    }

    fn truncate(&mut self, len: usize) {
        self.0 = len;
    }

    fn replace(&mut self, _start: usize, _bytes: &[u8]) {}

    fn begin(&mut self) -> Begun {
        self.0 += 1;
        Begun(self.0)
    }

    fn end(&mut self, begun: Begun) {
        self.0 += more_bytes(self.0 - begun.0);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn append(&mut self, other: &Self) {
        self.extend_from_slice(other);
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn replace(&mut self, start: usize, bytes: &[u8]) {
        if let Some(place) = self.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// Leaves room for a length below 128, which most have.
    fn begin(&mut self) -> Begun {
        self.push(0);
        Begun(self.len())
    }

    fn end(&mut self, begun: Begun) {
        let Begun(start) = begun;
        let len = self.len() - start;
        let more = more_bytes(len);
        if more > 0 {
            self.extend((0..more).map(|_| 0));
            self.copy_within(start..start + len, start + more);
        }
        let mut rest = len;
        for byte in self.iter_mut().skip(start - 1).take(1 + more) {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            *byte = if rest == 0 { low } else { low | 0x80 };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Messages in messages, as long as the list says.
    fn nest<S: Sink>(sink: &mut S, fillings: &[usize]) {
        if let [filling, inner @ ..] = fillings {
            sink.put(&vec![7; *filling]);
            sink.message(16, |sink| nest(sink, inner));
            sink.double(1, 0.5);
            sink.signed(2, -1);
        }
    }

    fn read_varint(bytes: &mut &[u8]) -> u64 {
        let len = bytes.iter().position(|byte| *byte < 0x80).unwrap() + 1;
        let (number, rest) = bytes.split_at(len);
        *bytes = rest;
        number.iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
    }

    fn check_nest(mut bytes: &[u8], fillings: &[usize]) {
        let [filling, inner @ ..] = fillings else {
            assert!(bytes.is_empty());
            return;
        };
        bytes = bytes.strip_prefix(&*vec![7; *filling]).unwrap();
        assert_eq!(read_varint(&mut bytes), 16 << 3 | 2);
        let len = usize::try_from(read_varint(&mut bytes)).unwrap();
        let (message, after) = bytes.split_at(len);
        check_nest(message, inner);
        assert_eq!(after, [&[1 << 3 | 1][..], &0.5_f64.to_le_bytes(), &[2 << 3, 1]].concat());
    }

    proptest! {
        #[test]
        fn lengths_are_those_of_what_follows(
            fillings in proptest::collection::vec(
                prop_oneof![0_usize..300, 16_000_usize..17_000], 0..6),
        ) {
            let (mut page, mut count) = (Vec::new(), Count::default());
            nest(&mut page, &fillings);
            nest(&mut count, &fillings);
            prop_assert_eq!(Sink::len(&count), page.len());
            check_nest(&page, &fillings);
        }

        #[test]
        fn numbers_come_back(number in any::<u64>(), signed in any::<i64>()) {
            for number in [number, number >> 32, number >> 57, 0, 127, 128, u64::MAX] {
                let mut bytes = Vec::new();
                bytes.varint(number);
                prop_assert_eq!(read_varint(&mut &*bytes), number);
            }
            let back = zigzag(signed);
            prop_assert_eq!((back >> 1).cast_signed() ^ -(back & 1).cast_signed(), signed);
        }
    }
}
