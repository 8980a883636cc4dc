//! The label values of our own metrics: closed enums, so that nothing can grow without end and no
//! counter can be forgotten.

use hyper::{Method as HttpMethod, StatusCode};
use pushprom_core::{
    intake::{KeyMisuse, Refusal},
    model::{InvalidDelta, KeyError},
    policy::Barred,
    registry::{Rejected, SeriesLimit},
    wire::json::{DeltaError, EnvelopeError, MessageError},
};

/// Declares an enum whose variants are the values of one label.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All values, in the order of their discriminants.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];

            /// The label value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

label! {
    /// How a delta came.
    Transport {
        /// In an HTTP body.
        Http = "http",
        /// In a UDP datagram.
        Udp = "udp",
        /// In a datagram of a unix socket.
        Unix = "unix",
    }
}

label! {
    /// How a datagram came.
    DatagramTransport {
        /// Over UDP.
        Udp = "udp",
        /// Over a unix socket.
        Unix = "unix",
    }
}

label! {
    /// Why a delta, or a message that could not be taken apart into deltas, was refused.
    Reason {
        /// A message without deltas.
        Empty = "empty",
        /// A message that is no JSON.
        Syntax = "syntax",
        /// A message over the limit of bytes.
        TooLong = "too_long",
        /// A datagram that did not fit into the room for one.
        Truncated = "truncated",
        /// More deltas in a message than the limit.
        TooManyDeltas = "too_many_deltas",
        /// A body that did not arrive in time.
        BodyTimeout = "body_timeout",
        /// A body that its sender broke off.
        BodyAborted = "body_aborted",
        /// A body that had not come when its connection was closed by us.
        ConnectionClosed = "connection_closed",
        /// A body in a coding that we do not have.
        ContentEncoding = "content_encoding",
        /// A body that is not packed as it says.
        CorruptBody = "corrupt_body",
        /// An envelope that cannot be opened.
        Envelope = "envelope",
        /// A key that is none, or two of them.
        IdempotencyKey = "idempotency_key",
        /// A key that another message has.
        KeyReused = "key_reused",
        /// A field, or the delta itself, of the wrong JSON type.
        WrongType = "wrong_type",
        /// A number beyond a float.
        OutOfRange = "out_of_range",
        /// An unknown `type`.
        UnknownType = "unknown_type",
        /// An unknown `method`.
        UnknownMethod = "unknown_method",
        /// A large body while too many of them were being read.
        Busy = "busy",
        /// An invalid metric name.
        MetricName = "metric_name",
        /// A label name or value that is invalid, reserved or too long, or too many of them.
        Label = "label",
        /// A help text over its limit.
        Help = "help",
        /// A counter that should go down.
        NegativeAmount = "negative_amount",
        /// Bounds out of order, or too many.
        Bounds = "bounds",
        /// Observations that cannot be taken: too many, or counts that are none.
        Observations = "observations",
        /// A resolution of native buckets that does not exist.
        Native = "native",
        /// Objectives that are none.
        Objectives = "objectives",
        /// An exemplar that is none, or of a kind that keeps none.
        Exemplar = "exemplar",
        /// A field that the method does not have.
        MisplacedField = "misplaced_field",
        /// A family of another kind.
        KindConflict = "kind_conflict",
        /// Sample names of another family.
        SuffixCollision = "suffix_collision",
        /// One of our own names.
        ReservedName = "reserved_name",
        /// Another help text, with `-schema.conflicts=reject`.
        HelpConflict = "help_conflict",
        /// Other label names, with `-schema.conflicts=reject`.
        LabelConflict = "label_conflict",
        /// Counts for other buckets.
        BoundsConflict = "bounds_conflict",
        /// The limit of series in all.
        SeriesLimit = "series_limit",
        /// The limit of series of a family.
        FamilyLimit = "family_limit",
        /// The limit of series of a client.
        ClientLimit = "client_limit",
        /// The limit of bytes of all series.
        BytesLimit = "bytes_limit",
        /// A name that its sender may not push.
        Forbidden = "forbidden",
        /// What the rules make of it is no delta.
        Relabel = "relabel",
        /// A push that could not have been written to disk.
        NotStored = "not_stored",
        /// A fault of ours.
        Panic = "panic",
    }
}

label! {
    /// The method of a request, as the original spells it.
    Method {
        /// CONNECT
        Connect = "connect",
        /// DELETE
        Delete = "delete",
        /// GET
        Get = "get",
        /// HEAD
        Head = "head",
        /// NOTIFY
        Notify = "notify",
        /// OPTIONS
        Options = "options",
        /// PATCH
        Patch = "patch",
        /// POST
        Post = "post",
        /// PUT
        Put = "put",
        /// TRACE
        Trace = "trace",
        /// Any other.
        Unknown = "unknown",
    }
}

label! {
    /// The status of an answer of the push handler.
    Code {
        /// All deltas applied.
        Ok = "200",
        /// A delta refused.
        BadRequest = "400",
        /// Not a POST.
        MethodNotAllowed = "405",
        /// The body came too slowly.
        RequestTimeout = "408",
        /// The body is too long.
        PayloadTooLarge = "413",
        /// The body is in a coding that we do not have.
        UnsupportedMediaType = "415",
        /// A key that another message has.
        UnprocessableContent = "422",
        /// A fault of ours.
        InternalServerError = "500",
        /// Too many large bodies at once, or no place to write to.
        ServiceUnavailable = "503",
    }
}

label! {
    /// The status of a scrape, the three of the original.
    ScrapeCode {
        /// A page.
        Ok = "200",
        /// A fault of ours.
        InternalServerError = "500",
        /// Too many scrapes at once, or no memory for the page.
        ServiceUnavailable = "503",
    }
}

label! {
    /// Why a request was not let in.
    Refused {
        /// The file of `-web.config.file` is invalid.
        WebConfig = "web_config",
        /// Its `rate_limit`.
        RateLimited = "rate_limited",
        /// Nobody is known by what it shows.
        Unauthorized = "unauthorized",
        /// Who sent it has no right to it.
        Forbidden = "forbidden",
        /// Too many passwords wait to be compared.
        Busy = "busy",
        /// What there was is being restored.
        Starting = "starting",
    }
}

label! {
    /// The status of an answer of the API.
    ApiCode {
        /// What was asked for.
        Ok = "200",
        /// A parameter that is none.
        BadRequest = "400",
        /// The admin API is off, or a page of another site asked.
        Forbidden = "403",
        /// Another method.
        MethodNotAllowed = "405",
        /// The body came too slowly.
        RequestTimeout = "408",
        /// The body is too long.
        PayloadTooLarge = "413",
        /// The body is no form.
        UnsupportedMediaType = "415",
        /// A fault of ours.
        InternalServerError = "500",
        /// Too many requests at once, or one that took too long.
        ServiceUnavailable = "503",
    }
}

label! {
    /// Why a TLS handshake failed.
    HandshakeFailure {
        /// The client broke it off, broke the rules, or had no certificate that will do.
        Peer = "peer",
        /// The client took too long.
        Timeout = "timeout",
        /// The file of `-web.config.file`, or one that it names, is invalid.
        WebConfig = "web_config",
    }
}

label! {
    /// Why what changed could not be written.
    StorageFault {
        /// No room is left, on the disk or of a quota.
        Full = "full",
        /// The file system can only be read.
        ReadOnly = "read_only",
        /// The disk failed.
        Io = "io",
        /// Anything else.
        Other = "other",
    }
}

label! {
    /// How series were removed by an operator.
    Removal {
        /// Those that selectors mean.
        Delete = "delete",
        /// All of them.
        Wipe = "wipe",
    }
}

impl From<DatagramTransport> for Transport {
    fn from(transport: DatagramTransport) -> Self {
        match transport {
            DatagramTransport::Udp => Self::Udp,
            DatagramTransport::Unix => Self::Unix,
        }
    }
}

impl Method {
    /// Of a method as the client wrote it; only all-upper and all-lower spellings count.
    pub fn of(method: &HttpMethod) -> Self {
        let text = method.as_str();
        let known = |label: &Self| label.as_str() == text || label.as_str().to_uppercase() == text;
        Self::ALL.into_iter().find(known).unwrap_or(Self::Unknown)
    }
}

impl ApiCode {
    /// Of a status that the API gives.
    pub fn of(status: StatusCode) -> Self {
        let known = |label: &Self| label.as_str() == status.as_str();
        Self::ALL.into_iter().find(known).unwrap_or(Self::InternalServerError)
    }
}

impl Code {
    /// Of a status that the push handler gives.
    pub fn of(status: StatusCode) -> Self {
        let known = |label: &Self| label.as_str() == status.as_str();
        Self::ALL.into_iter().find(known).unwrap_or(Self::InternalServerError)
    }
}

impl From<&MessageError> for Reason {
    fn from(error: &MessageError) -> Self {
        match error {
            MessageError::Empty => Self::Empty,
            MessageError::TooLong { .. } => Self::TooLong,
            MessageError::TooManyDeltas => Self::TooManyDeltas,
            MessageError::Syntax { .. } => Self::Syntax,
            MessageError::Envelope(error) => match error {
                EnvelopeError::Id(error) => error.into(),
                EnvelopeError::NotAlone
                | EnvelopeError::Unknown(_)
                | EnvelopeError::Twice(_)
                | EnvelopeError::WrongType { .. }
                | EnvelopeError::NoId => Self::Envelope,
            },
        }
    }
}

impl From<&KeyError> for Reason {
    fn from(error: &KeyError) -> Self {
        match error {
            KeyError::Empty | KeyError::TooLong { .. } | KeyError::Invalid(_) => {
                Self::IdempotencyKey
            }
        }
    }
}

impl From<&KeyMisuse> for Reason {
    fn from(error: &KeyMisuse) -> Self {
        match error {
            KeyMisuse::Differs { .. } => Self::IdempotencyKey,
            KeyMisuse::Reused(_) => Self::KeyReused,
        }
    }
}

impl From<&DeltaError> for Reason {
    fn from(error: &DeltaError) -> Self {
        match error {
            DeltaError::NotAnObject { .. }
            | DeltaError::WrongType { .. }
            | DeltaError::WrongMember { .. }
            | DeltaError::WrongElement { .. } => Self::WrongType,
            DeltaError::OutOfRange { .. } => Self::OutOfRange,
            DeltaError::UnknownType(_) => Self::UnknownType,
            DeltaError::UnknownMethod { .. } => Self::UnknownMethod,
            DeltaError::Misplaced { .. } | DeltaError::UnknownMember { .. } => Self::MisplacedField,
            DeltaError::NullElement(_)
            | DeltaError::NoCount(_)
            | DeltaError::NoSum
            | DeltaError::ValueAndCounts
            | DeltaError::SumOfNothing(_)
            | DeltaError::NativeAndCounts => Self::Observations,
            DeltaError::Invalid(invalid) => match invalid {
                InvalidDelta::Name(_) => Self::MetricName,
                InvalidDelta::Label(_) | InvalidDelta::OwnLabel { .. } => Self::Label,
                InvalidDelta::HelpTooLong { .. } => Self::Help,
                InvalidDelta::Amount(_) => Self::NegativeAmount,
                InvalidDelta::Bounds(_) => Self::Bounds,
                InvalidDelta::Resolution(_) => Self::Native,
                InvalidDelta::Objectives(_) => Self::Objectives,
                InvalidDelta::Readings(_) | InvalidDelta::Counts(_) => Self::Observations,
                InvalidDelta::Exemplar(_) | InvalidDelta::NoExemplars(_) => Self::Exemplar,
            },
        }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Decode(error) => error.into(),
            Refusal::Apply(error) => error.into(),
        }
    }
}

impl From<&Rejected> for Reason {
    fn from(error: &Rejected) -> Self {
        match error {
            Rejected::KindConflict { .. } => Self::KindConflict,
            Rejected::SuffixCollision { .. } => Self::SuffixCollision,
            Rejected::ReservedName(_) => Self::ReservedName,
            Rejected::HelpConflict { .. } => Self::HelpConflict,
            Rejected::LabelConflict { .. } => Self::LabelConflict,
            Rejected::BoundsConflict(_) | Rejected::NativeConflict(_) => Self::BoundsConflict,
            Rejected::TooManySeries { limit, .. } => match limit {
                SeriesLimit::All(_) => Self::SeriesLimit,
                SeriesLimit::Family(_) => Self::FamilyLimit,
                SeriesLimit::Client(_) => Self::ClientLimit,
                SeriesLimit::Bytes(_) => Self::BytesLimit,
            },
            Rejected::Barred(Barred::Name { .. }) => Self::Forbidden,
            Rejected::Barred(Barred::Relabeled { .. }) => Self::Relabel,
        }
    }
}
