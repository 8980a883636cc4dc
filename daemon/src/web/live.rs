//! What the file says now. It is looked at each time it is asked for, and read again if it is not what it
//! was: another file, of another length or another time.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::SHA256;
use parking_lot::Mutex;
use rustls::ServerConfig;

use super::{
    file::{self, FileError, Http2, Settings, Source, TlsSettings},
    passwords::Passwords,
    rate_limit::RateLimiter,
    tls::{self, Texts, TlsError},
};

/// How long after its change a file may change again without a trace: the kernel's clock of files ticks
/// in milliseconds. A file as young as this is read again when it is next asked for.
const SETTLED_AFTER: Duration = Duration::from_millis(50);

/// What `-web.config.file` asks for, kept fresh. What was decided at the start holds to the end: whether
/// there is TLS, whether there is HTTP/2, and the rate of requests.
pub struct Web {
    path: PathBuf,
    is_tls: bool,
    http2: Http2,
    limiter: Option<RateLimiter>,
    passwords: Passwords,
    observe: Observer,
    settings: Mutex<Fresh<Settings, FileError>>,
    /// With the settings that it was made from.
    tls: Mutex<Option<(Arc<Settings>, FreshTls)>>,
}

type FreshTls = Fresh<ServerConfig, TlsError>;

/// Told when the file, or one that it names, has changed and been read again.
type Observer = Box<dyn Fn(Reload<'_>) + Send + Sync>;

/// What reading again came to.
#[derive(Clone, Copy, Debug)]
pub enum Reload<'a> {
    /// All is well.
    Done,
    /// Nobody gets in until it is mended.
    Failed(&'a str),
}

/// Why a handshake cannot begin.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TlsRefused {
    /// The file is invalid.
    #[error(transparent)]
    File(#[from] Arc<FileError>),
    /// A file that it names is of no use.
    #[error(transparent)]
    Tls(#[from] Arc<TlsError>),
    /// The file asks for no TLS any more.
    #[error("the file of -web.config.file asks for no TLS any more, which takes a restart")]
    Gone,
}

/// Why the file cannot be followed from the start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is invalid.
    #[error(transparent)]
    File(#[from] Arc<FileError>),
    /// A file that it names is of no use.
    #[error(transparent)]
    Tls(#[from] Arc<TlsError>),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// Something made from files, how these looked then, and what was in them.
struct Fresh<T, E> {
    stamps: Vec<Stamp>,
    /// Whether they had long looked so: then no change since can have gone unseen.
    is_settled: bool,
    digest: Option<Digest>,
    made: Result<Arc<T>, Arc<E>>,
}

impl Web {
    /// Reads the file, and those that it names; what is wrong with them is an error. `observe` is told of
    /// what happens later.
    pub fn open(
        path: &Path,
        observe: impl Fn(Reload<'_>) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let settings = Fresh::of_file(path, None);
        let now = settings.made.clone()?;
        let mut tls = None;
        if let Some(asked) = &now.tls {
            let fresh = Fresh::of_tls(asked, now.http2, None);
            fresh.made.clone()?;
            tls = Some((Arc::clone(&now), fresh));
        }
        Ok(Self {
            path: path.to_owned(),
            is_tls: tls.is_some(),
            http2: now.http2,
            limiter: now.rate_limit.map(|(interval, burst)| RateLimiter::new(interval, burst)),
            passwords: Passwords::new().ok_or(OpenError::Random)?,
            observe: Box::new(observe),
            settings: Mutex::new(settings),
            tls: Mutex::new(tls),
        })
    }

    /// Whether connections are to be TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The bucket that requests are taken from, if there is one.
    pub fn limiter(&self) -> Option<&RateLimiter> {
        self.limiter.as_ref()
    }

    /// The door at which passwords are compared.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// What the file says now.
    pub fn settings(&self) -> Result<Arc<Settings>, Arc<FileError>> {
        let mut held = self.settings.lock();
        if !held.is_fresh(&[Stamp::of(&self.path)]) {
            let before = held.digest;
            *held = Fresh::of_file(&self.path, Some(&held));
            self.tell(before, &held);
        }
        held.made.clone()
    }

    /// TLS as the file, and those that it names, have it now.
    pub fn tls(&self) -> Result<Arc<ServerConfig>, TlsRefused> {
        let settings = self.settings()?;
        let asked = settings.tls.as_ref().ok_or(TlsRefused::Gone)?;
        let mut held = self.tls.lock();
        let of_these = held.take().filter(|(of, _)| Arc::ptr_eq(of, &settings));
        let fresh = match of_these {
            Some((_, fresh)) if fresh.is_fresh(&stamps(asked)) => fresh,
            before => {
                let before = before.map(|(_, fresh)| fresh);
                let fresh = Fresh::of_tls(asked, self.http2, before.as_ref());
                self.tell(before.and_then(|before| before.digest), &fresh);
                fresh
            }
        };
        let made = fresh.made.clone();
        *held = Some((settings, fresh));
        Ok(made?)
    }

    fn tell<T, E: ToString>(&self, before: Option<Digest>, fresh: &Fresh<T, E>) {
        if before.is_some() && before == fresh.digest {
            return;
        }
        match &fresh.made {
            Ok(_) => (self.observe)(Reload::Done),
            Err(error) => (self.observe)(Reload::Failed(&error.to_string())),
        }
    }
}

impl<T, E> Fresh<T, E> {
    /// Whether the files look as they did, so that it need not be made again.
    fn is_fresh(&self, stamps: &[Stamp]) -> bool {
        self.is_settled && self.stamps == stamps
    }

    /// What was made before, if the same was in the files.
    fn again(before: Option<&Self>, digest: Digest) -> Option<Result<Arc<T>, Arc<E>>> {
        let before = before.filter(|before| before.digest == Some(digest))?;
        Some(before.made.clone())
    }
}

impl Fresh<Settings, FileError> {
    fn of_file(path: &Path, before: Option<&Self>) -> Self {
        let stamps = vec![Stamp::of(path)];
        let is_settled = stamps.iter().all(Stamp::is_settled);
        match file::read(path) {
            Ok(text) => {
                let digest = digest(&[&text]);
                let parse = || file::parse(path, &text).map(Arc::new).map_err(Arc::new);
                let made = Self::again(before, digest).unwrap_or_else(parse);
                Self { stamps, is_settled, digest: Some(digest), made }
            }
            Err(error) => {
                let made = Err(Arc::new(FileError::unreadable(path, &error)));
                Self { stamps, is_settled, digest: None, made }
            }
        }
    }
}

impl FreshTls {
    fn of_tls(settings: &TlsSettings, http2: Http2, before: Option<&Self>) -> Self {
        let stamps = stamps(settings);
        let is_settled = stamps.iter().all(Stamp::is_settled);
        match Texts::read(settings) {
            Ok(texts) => {
                let ca = texts.client_ca.as_deref().unwrap_or_default();
                let digest = digest(&[&texts.cert, &texts.key, ca]);
                let make = || tls::make(settings, &texts, http2).map(Arc::new).map_err(Arc::new);
                let result = Self::again(before, digest).unwrap_or_else(make);
                Self { stamps, is_settled, digest: Some(digest), made: result }
            }
            Err(error) => Self { stamps, is_settled, digest: None, made: Err(Arc::new(error)) },
        }
    }
}

/// How a file looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    /// It is there.
    File { device: u64, inode: u64, bytes: u64, modified: (i64, i64), changed: (i64, i64) },
    /// It cannot be looked at.
    Nothing(io::ErrorKind),
}

impl Stamp {
    fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(file) => Self::File {
                device: file.dev(),
                inode: file.ino(),
                bytes: file.size(),
                modified: (file.mtime(), file.mtime_nsec()),
                changed: (file.ctime(), file.ctime_nsec()),
            },
            Err(error) => Self::Nothing(error.kind()),
        }
    }

    /// Whether a change from now on would look different.
    fn is_settled(&self) -> bool {
        match self {
            Self::Nothing(_) => true,
            Self::File { changed: (seconds, nanoseconds), .. } => {
                let seconds = u64::try_from(*seconds).unwrap_or_default();
                let nanoseconds = u64::try_from(*nanoseconds).unwrap_or_default();
                let changed = UNIX_EPOCH
                    .checked_add(Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds));
                let age =
                    changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
                age.is_some_and(|age| age >= SETTLED_AFTER)
            }
        }
    }
}

fn stamps(settings: &TlsSettings) -> Vec<Stamp> {
    let sources = [Some(&settings.cert), Some(&settings.key), settings.client_ca.as_ref()];
    let files = sources.into_iter().flatten().filter_map(|source| match source {
        Source::Inline(_) => None,
        Source::File(path) => Some(Stamp::of(path)),
    });
    files.collect()
}

type Digest = [u8; 32];

fn digest(texts: &[&[u8]]) -> Digest {
    let mut context = aws_lc_rs::digest::Context::new(&SHA256);
    for text in texts {
        context.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        context.update(text);
    }
    let made = context.finish();
    let mut digest = [0; 32];
    for (byte, made) in digest.iter_mut().zip(made.as_ref()) {
        *byte = *made;
    }
    digest
}
