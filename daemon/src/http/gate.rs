//! Who gets in. A request passes, in this order: is the file of `-web.config.file` valid (500), is the rate
//! kept (429), is there a user with this password (401). What the file has for headers is set on all
//! answers, but for the first of these.

use std::{sync::Arc, time::Instant};

use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderValue, WWW_AUTHENTICATE},
};

use super::{
    listener::Remote,
    reply::{self, Reply},
};
use crate::{
    clock,
    log::Sampler,
    telemetry::{Refused, Telemetry},
    web::{Basic, Settings, Web},
};

/// Where requests are let in, or not.
pub(super) struct Gate {
    web: Option<Arc<Web>>,
    telemetry: Arc<Telemetry>,
}

/// Who has been let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// The user of `-web.config.file` whose password the request bore.
    #[expect(dead_code, reason = "read by those who give rights")]
    pub(super) user: Option<Arc<str>>,
    settings: Option<Arc<Settings>>,
}

impl Gate {
    pub(super) fn new(web: Option<Arc<Web>>, telemetry: Arc<Telemetry>) -> Self {
        Self { web, telemetry }
    }

    /// What connections are to be secured by.
    pub(super) fn tls(&self) -> Option<&Arc<Web>> {
        self.web.as_ref().filter(|web| web.is_tls())
    }

    /// Lets a request in; the error is the answer.
    pub(super) async fn admit(
        &self,
        headers: &HeaderMap,
        remote: &Remote,
    ) -> Result<Caller, Reply> {
        let Some(web) = &self.web else { return Ok(Caller::default()) };
        let settings = web.settings().map_err(|_| {
            self.telemetry.record_refused(Refused::WebConfig);
            let text = "the file of -web.config.file is invalid; see the log\n";
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        })?;
        if web.limiter().is_some_and(|limiter| !limiter.allows(Instant::now())) {
            self.telemetry.record_refused(Refused::RateLimited);
            let text = "too many requests: see rate_limit in the file of -web.config.file\n";
            return Err(adorned(reply::text(StatusCode::TOO_MANY_REQUESTS, text), &settings));
        }
        if settings.users.is_empty() {
            return Ok(Caller { user: None, settings: Some(settings) });
        }
        let Some(basic) = Basic::of(headers) else {
            return Err(self.unauthorized(None, remote, &settings));
        };
        let name = basic.user.clone();
        match web.passwords().check(&settings.users, basic).await {
            Ok(Some(user)) => Ok(Caller { user: Some(user), settings: Some(settings) }),
            Ok(None) => Err(self.unauthorized(Some(&name), remote, &settings)),
            Err(crate::web::Busy) => {
                self.telemetry.record_refused(Refused::Busy);
                let text = "too many passwords wait to be compared: try again later\n";
                Err(adorned(reply::try_again(text), &settings))
            }
        }
    }

    fn unauthorized(&self, user: Option<&[u8]>, remote: &Remote, settings: &Settings) -> Reply {
        static SAMPLER: Sampler = Sampler::new();
        self.telemetry.record_refused(Refused::Unauthorized);
        // Whoever sends no name at first may not know that one is wanted.
        if let Some(user) = user {
            let user = crate::web::shown(user);
            match SAMPLER.admit(clock::now().0 / 1000) {
                Some(suppressed) => {
                    let peer = remote.peer;
                    tracing::warn!(%peer, user, suppressed, "login refused");
                }
                None => self.telemetry.record_suppressed_line(),
            }
        }
        let text = "unauthorized: send the name and password of a user\n";
        let mut reply = reply::text(StatusCode::UNAUTHORIZED, text);
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        adorned(reply, settings)
    }
}

impl Caller {
    /// Sets on an answer what is set on all.
    pub(super) fn adorn(&self, reply: Reply) -> Reply {
        match &self.settings {
            Some(settings) => adorned(reply, settings),
            None => reply,
        }
    }
}

fn adorned(mut reply: Reply, settings: &Settings) -> Reply {
    for (name, value) in &settings.headers {
        reply.headers_mut().insert(name, value.clone());
    }
    reply
}
