//! Who gets in. A request passes, in this order: is the file of `-web.config.file` valid (500), is the rate
//! kept (429), is there a user with this password (401), is it somebody's whom the section `access` knows
//! (401), who has the right that its route takes (403). What the file has for headers is set on all
//! answers, but for the first of these.

use std::{sync::Arc, time::Instant};

use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};
use pushprom_core::{model::Quoted, policy::Source};

use super::{
    listener::{Peer, Remote},
    reply::{self, Reply},
    route::Route,
};
use crate::{
    access::{Access, Forbidden, Place, Principal, Shown, Unknown},
    clock,
    config::{Config, Origins},
    live::Settings,
    log::Sampler,
    telemetry::{Refused, Telemetry},
    web::{self, Basic, Passwords, Users, Web},
};

/// Where requests are let in, or not.
pub struct Gate {
    web: Option<Arc<Web>>,
    /// Where there is no file that has a door for passwords.
    passwords: Option<Passwords>,
    telemetry: Arc<Telemetry>,
}

/// Who has been let in, and the settings that it is answered with, though others may come into force.
pub(super) struct Caller {
    pub(super) settings: Arc<Settings>,
    pub(super) principal: Arc<Principal>,
    pub(super) peer: Peer,
    /// The user of `-web.config.file` that it has proved to be.
    user: Option<Arc<str>>,
    web: Option<Arc<web::Settings>>,
}

impl Gate {
    /// A gate at which `web` has the say, and then the settings in force.
    pub fn new(web: Option<Arc<Web>>, telemetry: Arc<Telemetry>) -> Self {
        let passwords = if web.is_none() { Passwords::new() } else { None };
        Self { web, passwords, telemetry }
    }

    /// What connections are to be secured by.
    pub(super) fn tls(&self) -> Option<&Arc<Web>> {
        self.web.as_ref().filter(|web| web.is_tls())
    }

    /// Origins whose pages may push. What is for any is for none where users are asked for, who may have come
    /// since the start.
    pub(super) fn origins<'a>(&self, config: &'a Config) -> &'a Origins {
        static NONE: Origins = Origins::Listed(Vec::new());
        let is_open = |web: &Arc<Web>| web.settings().is_ok_and(|web| web.users.is_empty());
        match &config.origins {
            Origins::Any if !self.web.as_ref().is_none_or(is_open) => &NONE,
            origins @ (Origins::Any | Origins::Listed(_)) => origins,
        }
    }

    /// Lets a request in; the error is the answer.
    pub(super) async fn admit(
        &self,
        route: &Route,
        headers: &HeaderMap,
        remote: &Remote,
        settings: Arc<Settings>,
    ) -> Result<Caller, Reply> {
        let (web, user) = match &self.web {
            None => (None, None),
            Some(web) => {
                let (settings, user) = self.admit_by_web(web, route, headers, remote).await?;
                (Some(settings), user)
            }
        };
        let principal = match &settings.access {
            Access::Open(everybody) => Arc::clone(everybody),
            Access::Granted(_) => {
                let asked = Asked { route, headers, remote, user: user.as_deref() };
                let granted = self.admit_by_access(&settings.access, asked).await;
                granted.map_err(|reply| adorned(reply, web.as_deref()))?
            }
        };
        Ok(Caller { settings, principal, peer: remote.peer, user, web })
    }

    async fn admit_by_web(
        &self,
        web: &Web,
        route: &Route,
        headers: &HeaderMap,
        remote: &Remote,
    ) -> Result<(Arc<web::Settings>, Option<Arc<str>>), Reply> {
        let settings = web.settings().map_err(|_| {
            self.telemetry.record_refused(Refused::WebConfig);
            let text = "the file of -web.config.file is invalid; see the log\n";
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        })?;
        if web.limiter().is_some_and(|limiter| !limiter.allows(Instant::now())) {
            self.telemetry.record_refused(Refused::RateLimited);
            let text = "too many requests: see rate_limit in the file of -web.config.file\n";
            let reply = reply::text(StatusCode::TOO_MANY_REQUESTS, text);
            return Err(adorned(reply, Some(&settings)));
        }
        // A browser asks without credentials whether a page may push with some.
        if settings.users.is_empty() || *route == Route::Preflight {
            return Ok((settings, None));
        }
        let user = match Basic::of(headers) {
            Some(basic) => Box::pin(self.check(&settings.users, basic, remote)).await,
            None => {
                self.telemetry.record_refused(Refused::Unauthorized);
                Err(reply::text(StatusCode::UNAUTHORIZED, UNAUTHORIZED))
            }
        };
        match user {
            Ok(user) => Ok((settings, Some(user))),
            Err(mut reply) => {
                if reply.status() == StatusCode::UNAUTHORIZED {
                    reply.headers_mut().insert(WWW_AUTHENTICATE, BASIC);
                }
                Err(adorned(reply, Some(&settings)))
            }
        }
    }

    async fn admit_by_access(
        &self,
        access: &Access,
        asked: Asked<'_>,
    ) -> Result<Arc<Principal>, Reply> {
        // What is open to everybody is so whatever is shown.
        let Some(right) = asked.route.right() else { return Ok(Arc::clone(access.anonymous())) };
        let principal = self.principal(access, asked).await.map_err(challenging)?;
        let Err(forbidden) = principal.may(right) else { return Ok(principal) };
        if principal.name().is_some() || asked.user.is_some() {
            self.telemetry.record_refused(Refused::Forbidden);
            let forbidden = match asked.user {
                Some(user) if principal.name().is_none() => {
                    Forbidden { principal: Quoted::new(user), right }
                }
                Some(_) | None => forbidden,
            };
            return Err(reply::text(StatusCode::FORBIDDEN, &format!("{forbidden}\n")));
        }
        // Who has shown nothing may try with something.
        self.telemetry.record_refused(Refused::Unauthorized);
        let text =
            format!("unauthorized: say who you are, it takes the right to {}\n", right.as_str());
        Err(challenging(reply::text(StatusCode::UNAUTHORIZED, &text)))
    }

    /// Who sent a request.
    async fn principal(&self, access: &Access, asked: Asked<'_>) -> Result<Arc<Principal>, Reply> {
        let Asked { headers, remote, user, .. } = asked;
        if let Some(user) = user {
            return Ok(Arc::clone(access.of_user(user, remote.names.as_ref())));
        }
        if let Some(basic) = Basic::of(headers) {
            let user = Box::pin(self.check(access.users(), basic, remote)).await?;
            return Ok(Arc::clone(access.of_user(&user, remote.names.as_ref())));
        }
        let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let shown = Shown { authorization, certificate: remote.names.as_ref() };
        let principal = access.of_request(shown).map_err(|Unknown| {
            self.telemetry.record_refused(Refused::Unauthorized);
            reply::text(StatusCode::UNAUTHORIZED, "unauthorized: what you show is nobody's\n")
        })?;
        Ok(Arc::clone(principal))
    }

    /// Whose name and password these are.
    async fn check(&self, users: &Users, basic: Basic, remote: &Remote) -> Result<Arc<str>, Reply> {
        static SAMPLER: Sampler = Sampler::new();
        let passwords = self.web.as_ref().map(|web| web.passwords()).or(self.passwords.as_ref());
        let name = basic.user.clone();
        let checked = match passwords {
            Some(passwords) => passwords.check(users, basic).await,
            // Without random numbers nobody is known.
            None => Ok(None),
        };
        match checked {
            Ok(Some(user)) => Ok(user),
            Ok(None) => {
                self.telemetry.record_refused(Refused::Unauthorized);
                let (user, peer) = (web::shown(&name), remote.peer);
                match SAMPLER.admit(clock::now().0 / 1000) {
                    Some(suppressed) => {
                        tracing::warn!(%peer, user, suppressed, "login refused");
                    }
                    None => self.telemetry.record_suppressed_line(),
                }
                Err(reply::text(StatusCode::UNAUTHORIZED, UNAUTHORIZED))
            }
            Err(web::Busy) => {
                self.telemetry.record_refused(Refused::Busy);
                let text = "too many passwords wait to be compared: try again later\n";
                Err(reply::try_again(text))
            }
        }
    }
}

/// A request, as far as it says who sent it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    route: &'a Route,
    headers: &'a HeaderMap,
    remote: &'a Remote,
    /// The user of `-web.config.file` that it has proved to be.
    user: Option<&'a str>,
}

const UNAUTHORIZED: &str = "unauthorized: send the name and password of a user\n";

const BASIC: HeaderValue = HeaderValue::from_static("Basic");
const BEARER: HeaderValue = HeaderValue::from_static("Bearer");

impl Caller {
    /// What the log calls it.
    pub(super) fn name(&self) -> &str {
        self.principal.name().or(self.user.as_ref()).map_or("anonymous", |name| name)
    }

    /// What its deltas are taken for.
    pub(super) fn source(&self) -> Source<'_> {
        self.principal.source(match (&self.user, self.peer) {
            (Some(user), _) => Place::User(user),
            (None, Peer::Tcp(address)) => Place::Address(address.ip()),
            (None, Peer::Unix) => Place::Unix,
        })
    }

    /// Sets on an answer what is set on all.
    pub(super) fn adorn(&self, reply: Reply) -> Reply {
        adorned(reply, self.web.as_deref())
    }
}

/// The same answer; if nobody is known by what a request shows, with what might be shown instead.
fn challenging(mut reply: Reply) -> Reply {
    if reply.status() == StatusCode::UNAUTHORIZED {
        reply.headers_mut().append(WWW_AUTHENTICATE, BASIC);
        reply.headers_mut().append(WWW_AUTHENTICATE, BEARER);
    }
    reply
}

fn adorned(mut reply: Reply, settings: Option<&web::Settings>) -> Reply {
    for (name, value) in settings.iter().flat_map(|settings| &settings.headers) {
        reply.headers_mut().insert(name, value.clone());
    }
    reply
}
